//! Personal data.

use std::collections::HashSet;

use contracts::common::Contact;
use eventlog::{Opened, Vault, VaultError};
use futures::future::join_all;

use crate::world::World;

fn contact(name: &str) -> Contact {
    Contact {
        name: name.to_owned(),
        phone: "13800000000".to_owned(),
        address: "1 Some Road".to_owned(),
        ..Contact::default()
    }
}

pub async fn what_is_sealed_can_be_opened_until_the_person_is_erased(world: World) {
    let log = world.open().await;
    let vault = Vault::new(log.clone());
    let sealed = vault.seal("p1", &contact("Li Lei")).await.unwrap();
    let other = vault.seal("p2", &contact("Li Lei")).await.unwrap();
    assert!(!sealed.ciphertext.windows(6).any(|part| part == b"Li Lei"));
    assert_eq!(vault.open(&sealed).await.unwrap(), Opened::Contact(contact("Li Lei")));
    // equal data of one person can be told to be equal, of two persons not
    let again = vault.seal("p1", &contact("Li Lei")).await.unwrap();
    assert_eq!(again.fingerprint, sealed.fingerprint);
    assert_ne!(again.ciphertext, sealed.ciphertext);
    assert_ne!(other.fingerprint, sealed.fingerprint);
    let changed = vault.seal("p1", &contact("Han Meimei")).await.unwrap();
    assert_ne!(changed.fingerprint, sealed.fingerprint);
    // another process has the same keys
    let theirs = Vault::new(world.open().await);
    assert_eq!(theirs.open(&sealed).await.unwrap(), Opened::Contact(contact("Li Lei")));

    vault.erase("p1").await.unwrap();
    vault.erase("p1").await.unwrap();
    assert_eq!(vault.open(&sealed).await.unwrap(), Opened::Erased);
    assert!(vault.open(&sealed).await.unwrap().into_contact().erased);
    assert!(matches!(vault.seal("p1", &contact("x")).await, Err(VaultError::Erased(_))));
    assert_eq!(vault.open(&other).await.unwrap(), Opened::Contact(contact("Li Lei")));
    let fresh = Vault::new(world.open().await);
    assert_eq!(fresh.open(&sealed).await.unwrap(), Opened::Erased);
    // erased before there was anything to seal
    vault.erase("p3").await.unwrap();
    assert!(matches!(vault.seal("p3", &contact("x")).await, Err(VaultError::Erased(_))));
}

pub async fn two_sealers_of_a_new_person_use_one_key(world: World) {
    let vaults = [Vault::new(world.open().await), Vault::new(world.open().await)];
    let sealers = (0..20).map(|n| {
        let vault = vaults[n % 2].clone();
        tokio::spawn(async move { vault.seal("p", &contact("Li Lei")).await.unwrap() })
    });
    let sealed: Vec<_> = join_all(sealers).await.into_iter().map(Result::unwrap).collect();
    let fingerprints: HashSet<_> = sealed.iter().map(|one| one.fingerprint.clone()).collect();
    assert_eq!(fingerprints.len(), 1);
    let fresh = Vault::new(world.open().await);
    for one in &sealed {
        assert_eq!(fresh.open(one).await.unwrap(), Opened::Contact(contact("Li Lei")));
    }
}

pub async fn sealed_data_that_was_changed_is_not_opened(world: World) {
    let vault = Vault::new(world.open().await);
    let sealed = vault.seal("p", &contact("Li Lei")).await.unwrap();
    vault.seal("q", &contact("Han Meimei")).await.unwrap();
    let mut bent =
        vec![sealed.clone(), sealed.clone(), sealed.clone(), sealed.clone(), sealed.clone()];
    bent[0].ciphertext[3] ^= 1;
    bent[1].nonce[0] ^= 1;
    bent[2].nonce.clear();
    bent[3].ciphertext.clear();
    bent[4].person = "q".to_owned(); // another one's key
    for one in &bent {
        assert!(matches!(vault.open(one).await, Err(VaultError::Damaged(_))), "{one:?}");
    }
    let mut unknown = sealed;
    unknown.person = "nobody".to_owned();
    assert!(matches!(vault.open(&unknown).await, Err(VaultError::NoKey(_))));
    unknown.person.clear();
    assert!(matches!(vault.open(&unknown).await, Err(VaultError::Broken(_))));
}
