use super::*;

fn caller() -> Caller {
    Caller {
        name: "mall-one".to_owned(),
        platform: Some("mall-1".to_owned()),
        roles: BTreeSet::from([Role::Platform, Role::Auditor]),
    }
}

fn trust() -> Trust {
    Trust::by(&Secret::new("0123456789abcdef")).unwrap()
}

fn vouched(caller: &Caller) -> HeaderMap {
    let mut headers = HeaderMap::new();
    trust().vouch(caller).unwrap().apply(&mut headers);
    headers
}

#[test]
fn what_the_gateway_says_arrives() {
    assert_eq!(trust().caller(&vouched(&caller())), Some(caller()));
    let person = Caller { platform: None, ..caller() };
    assert_eq!(trust().caller(&vouched(&person)), Some(person));
}

#[test]
fn without_the_right_token_nothing_is_believed() {
    let mut headers = vouched(&caller());
    let other = Trust::by(&Secret::random()).unwrap();
    assert_eq!(other.caller(&headers), None);
    headers.insert(INTERNAL_TOKEN, HeaderValue::from_static("0123456789abcdeg"));
    assert_eq!(trust().caller(&headers), None);
    headers.insert(INTERNAL_TOKEN, HeaderValue::from_static("0123456789abcde"));
    assert_eq!(trust().caller(&headers), None);
    headers.remove(INTERNAL_TOKEN);
    assert_eq!(trust().caller(&headers), None);
}

#[test]
fn half_an_identity_is_none() {
    for missing in [ACTOR, ROLES] {
        let mut headers = vouched(&caller());
        headers.remove(missing);
        assert_eq!(trust().caller(&headers), None);
    }
}

#[test]
fn unknown_roles_grant_nothing() {
    let mut headers = vouched(&caller());
    headers.insert(ROLES, HeaderValue::from_static("ROLE_ROOT,,ROLE_OPERATOR, ROLE_FINANCE"));
    let roles = trust().caller(&headers).unwrap().roles;
    assert_eq!(roles, BTreeSet::from([Role::Operator]));
}

#[test]
fn all_reserved_metadata_can_be_removed() {
    let mut headers = vouched(&caller());
    headers.append(ROLES, HeaderValue::from_static("ROLE_OPERATOR"));
    headers.insert("emall-anything", HeaderValue::from_static("x"));
    headers.insert("x-other", HeaderValue::from_static("x"));
    strip_reserved(&mut headers);
    assert_eq!(headers.len(), 1);
}

#[test]
fn the_token_is_never_shown() {
    let shown = format!("{:?} {:?}", trust(), trust().vouch(&caller()));
    assert!(!shown.contains("0123456789abcdef"), "{shown}");
}

#[test]
fn a_platform_sees_only_its_own_and_others_see_all() {
    assert!(caller().may_see("mall-1") && !caller().may_see("mall-2"));
    assert!(Caller { platform: None, ..caller() }.may_see("mall-2"));
}
