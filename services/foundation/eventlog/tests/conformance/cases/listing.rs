//! Pages over look-up keys.

use std::collections::HashMap;

use eventlog::{Listing, Log, LogError};

use crate::world::{World, open_account, open_and_shift, shift};

async fn walk(log: &Log, listing: Listing) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let page = log.list(&listing.clone().page(token)).await.unwrap();
        ids.extend(page.rows.into_iter().map(|row| row.id));
        match page.next {
            Some(next) => token = next,
            None => return ids,
        }
    }
}

pub async fn a_walk_shows_every_row_once_under_inserts(world: World) {
    let log = world.open().await;
    for n in 0..60 {
        // many rows share a value: the id must tell them apart
        open_and_shift(&log, &format!("old-{n:02}"), "x", n % 4).await.unwrap();
    }
    for listing in
        [Listing::by("account", "balance"), Listing::by("account", "balance").descending()]
    {
        let listing = listing.limit(7);
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut token = String::new();
        let mut inserted = 0;
        loop {
            let page = log.list(&listing.clone().page(token)).await.unwrap();
            for row in page.rows {
                *seen.entry(row.id).or_default() += 1;
            }
            for value in 0..4 {
                let id = format!("new-{:?}-{inserted}", listing.order);
                open_and_shift(&log, &id, "x", value).await.unwrap();
                inserted += 1;
            }
            match page.next {
                Some(next) if inserted < 200 => token = next,
                Some(next) => {
                    token = next; // no more inserts, so that the walk ends
                    inserted = 200;
                }
                None => break,
            }
        }
        assert!(seen.values().all(|times| *times == 1), "{seen:?}");
        for n in 0..60 {
            assert!(seen.contains_key(&format!("old-{n:02}")), "old-{n:02} was passed over");
        }
    }
}

pub async fn pages_go_both_ways_and_by_range(world: World) {
    let log = world.open().await;
    for (id, amount) in [("a", 10), ("b", 20), ("c", 20), ("d", 30), ("e", 200)] {
        open_and_shift(&log, id, "x", amount).await.unwrap();
    }
    let by_balance = || Listing::by("account", "balance");
    for limit in [1, 2, 3, 50] {
        let go = |listing: Listing| walk(&log, listing.limit(limit));
        assert_eq!(go(by_balance()).await, ["a", "b", "c", "d", "e"]);
        assert_eq!(go(by_balance().descending()).await, ["e", "d", "c", "b", "a"]);
        let range = || by_balance().range("000000000020", "000000000200");
        assert_eq!(go(range()).await, ["b", "c", "d"]);
        assert_eq!(go(range().descending()).await, ["d", "c", "b"]);
        assert_eq!(go(by_balance().equal("000000000020")).await, ["b", "c"]);
        assert_eq!(go(by_balance().prefix("0000000000")).await, ["a", "b", "c", "d"]);
        assert_eq!(go(by_balance().prefix("0000000000").descending()).await, ["d", "c", "b", "a"]);
        assert_eq!(go(by_balance().prefix("9")).await, [""; 0]);
    }
    // a key follows its row
    shift(&log, "a", "y", 500).await.unwrap();
    assert_eq!(walk(&log, by_balance()).await, ["b", "c", "d", "e", "a"]);
    // bytes, not a locale's idea of an alphabet
    for owner in ["Z", "a", "ä", "B"] {
        log.transact(
            &format!("owner-{owner}"),
            &crate::account::context(),
            |account: &crate::account::Account| account.open(owner),
        )
        .await
        .unwrap();
    }
    let owners = walk(&log, Listing::by("account", "owner")).await;
    assert_eq!(owners[..3], ["owner-B", "owner-Z", "owner-a"]);
    assert_eq!(owners.last().unwrap(), "owner-ä");
    assert!(log.list(&Listing::by("nothing", "at all")).await.unwrap().rows.is_empty());
}

pub async fn a_hostile_page_token_is_refused(world: World) {
    let log = world.open().await;
    for id in ["a", "b", "c"] {
        open_account(&log, id).await.unwrap();
    }
    let listing = Listing::by("account", "owner").limit(1);
    let token = log.list(&listing).await.unwrap().next.unwrap();
    let other = Listing::by("account", "balance").limit(1).page(token.clone());
    assert!(matches!(log.list(&other).await, Err(LogError::PageToken)));
    let outside = Listing::by("account", "owner").range("x", "y").limit(1).page(token.clone());
    assert!(matches!(log.list(&outside).await, Err(LogError::PageToken)));
    for hostile in ["x", "00", "' OR 1=1", "\0", &"f".repeat(100_000), &token[2..]] {
        let page = log.list(&listing.clone().page(hostile)).await;
        assert!(matches!(page, Err(LogError::PageToken)), "{hostile}: {page:?}");
    }
    assert_eq!(log.list(&listing.page(token)).await.unwrap().rows[0].id, "b");
}
