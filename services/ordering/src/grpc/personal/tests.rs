use contracts::common::{Contact, Role, Sealed};

use super::{super::CONTEXT, *};
use crate::grpc::testing::{Bench, bench};

fn zhang() -> Contact {
    Contact {
        name: "张三".into(),
        phone: "138 0013 8000".into(),
        address: "北京市海淀区".into(),
        email: "zhang@example.com".into(),
        erased: false,
    }
}

fn caller(platform: Option<&str>, role: Role) -> Caller {
    Caller { name: "somebody".into(), platform: platform.map(str::to_owned), roles: [role].into() }
}

async fn sealed(bench: &Bench) -> (Personal, Sealed) {
    let personal = Personal::new(bench.log.clone(), CONTEXT);
    let sealed = personal.seal("mall", &zhang()).await.unwrap();
    (personal, sealed)
}

#[tokio::test]
async fn the_platform_and_operators_see_everything_others_a_mask() {
    let bench = bench().await;
    let (personal, sealed) = sealed(&bench).await;
    let masked = Contact { name: "张*".into(), phone: "*8000".into(), ..Contact::default() };
    for (caller, expected) in [
        (caller(Some("mall"), Role::Platform), zhang()),
        (caller(None, Role::Operator), zhang()),
        (caller(Some("other"), Role::Platform), masked.clone()),
        (caller(Some("other"), Role::Operator), masked.clone()),
        (caller(Some("mall"), Role::Service), masked.clone()),
        (caller(None, Role::Finance), masked.clone()),
        (caller(None, Role::Service), masked.clone()),
        (caller(None, Role::Auditor), masked),
    ] {
        let seen = personal.open_for(&caller, "mall", Some(&sealed)).await.unwrap();
        assert_eq!(seen, Some(expected), "{caller:?}");
    }
    let operator = caller(None, Role::Operator);
    assert_eq!(personal.open_for(&operator, "mall", None).await.unwrap(), None);
}

#[tokio::test]
async fn the_same_person_has_one_key_and_another_platform_another_one() {
    let bench = bench().await;
    let (personal, first) = sealed(&bench).await;
    let moved = Contact { address: "上海市".into(), phone: "13800138000".into(), ..zhang() };
    let second = personal.seal("mall", &moved).await.unwrap();
    let again = personal.seal("mall", &zhang()).await.unwrap();
    let elsewhere = personal.seal("other", &zhang()).await.unwrap();
    let li = personal.seal("mall", &Contact { name: "李四".into(), ..zhang() }).await.unwrap();
    assert_eq!((&first.person, &first.fingerprint), (&again.person, &again.fingerprint));
    assert_eq!(first.person, second.person);
    assert_ne!(first.fingerprint, second.fingerprint);
    assert_ne!(first.person, elsewhere.person);
    assert_ne!(first.person, li.person);
    let fresh = Personal::new(bench.log.clone(), CONTEXT).seal("mall", &zhang()).await.unwrap();
    assert_eq!(first.person, fresh.person, "the id is the same after a restart");
}

#[tokio::test]
async fn an_erased_person_is_gone_for_everybody() {
    let bench = bench().await;
    let (personal, sealed) = sealed(&bench).await;
    personal.erase(&sealed.person).await.unwrap();
    let gone = Contact { erased: true, ..Contact::default() };
    for role in [Role::Operator, Role::Auditor] {
        let seen = personal.open_for(&caller(None, role), "mall", Some(&sealed)).await.unwrap();
        assert_eq!(seen.as_ref(), Some(&gone));
    }
}

#[tokio::test]
async fn an_erased_person_who_comes_back_is_another_one() {
    let bench = bench().await;
    let (personal, before) = sealed(&bench).await;
    assert_eq!(personal.known_as("mall", &zhang()).await.unwrap(), [before.person.as_str()]);
    personal.erase(&before.person).await.unwrap();
    let after = personal.seal("mall", &zhang()).await.unwrap();
    assert_ne!(before.person, after.person);
    let operator = caller(None, Role::Operator);
    let seen = personal.open_for(&operator, "mall", Some(&after)).await.unwrap();
    assert_eq!(seen, Some(zhang()));
    let shut = personal.open_for(&operator, "mall", Some(&before)).await.unwrap().unwrap();
    assert!(shut.erased && shut.name.is_empty());
    let known = personal.known_as("mall", &zhang()).await.unwrap();
    assert_eq!(known, [before.person, after.person]);
    assert!(personal.known_as("other", &zhang()).await.unwrap().is_empty());
}
