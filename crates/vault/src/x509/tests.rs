use super::*;

// 2030-01-01; the certificates hold from 2026 to 2126.
const THEN: EpochMillis = EpochMillis::new(1_893_456_000_000);

fn certificate(pem: &str) -> Certificate {
    Certificate::read_pem(pem).unwrap().remove(0)
}

fn all() -> [Certificate; 4] {
    [
        certificate(include_str!("ca.pem")),
        certificate(include_str!("middle.pem")),
        certificate(include_str!("leaf.pem")),
        certificate(include_str!("under_leaf.pem")),
    ]
}

#[test]
fn a_certificate_leads_to_a_trusted_authority_over_others() {
    let [ca, middle, leaf, _] = all();
    assert!(leaf.is_issued_by(&middle) && middle.is_issued_by(&ca) && ca.is_issued_by(&ca));
    let root = std::slice::from_ref(&ca);
    assert!(leaf.is_trusted(root, &[middle.clone(), ca.clone()], THEN));
    assert!(leaf.is_trusted(std::slice::from_ref(&middle), &[], THEN));
    assert!(!leaf.is_trusted(root, &[], THEN), "the certificate between is missing");
    assert!(!leaf.is_trusted(&[], &[middle, ca.clone()], THEN));
    assert!(ca.is_trusted(root, &[], THEN));
}

#[test]
fn a_certificate_that_is_no_authority_stands_for_itself_only() {
    let [ca, middle, leaf, under] = all();
    assert!(leaf.is_trusted(std::slice::from_ref(&leaf), &[], THEN));
    assert!(!under.is_issued_by(&leaf));
    assert!(!under.is_trusted(std::slice::from_ref(&leaf), &[], THEN));
    assert!(!under.is_trusted(&[ca], &[leaf, middle], THEN));
}

#[test]
fn the_name_of_an_authority_alone_proves_nothing() {
    let [_, middle, leaf, _] = all();
    let mut forged = middle.clone();
    forged.key = leaf.key.clone();
    assert!(!leaf.is_issued_by(&forged));
    let mut changed = leaf;
    changed.signed[100] ^= 1;
    assert!(!changed.is_issued_by(&middle));
}

#[test]
fn a_certificate_holds_for_its_time_only() {
    let [ca, ..] = all();
    let year = |year: i64| EpochMillis::new((days_from_civil(year, 1, 1)) * 86_400_000);
    assert_eq!(year(2030), THEN);
    assert!(!ca.is_valid_at(year(2026)) && ca.is_valid_at(year(2027)));
    assert!(ca.is_valid_at(year(2126)) && !ca.is_valid_at(year(2127)));
    assert!(!ca.is_trusted(std::slice::from_ref(&ca), &[], year(2127)));
}

#[test]
fn days_are_those_of_the_calendar() {
    for (date, days) in [
        ((1970, 1, 1), 0),
        ((1969, 12, 31), -1),
        ((2000, 2, 29), 11_016),
        ((2000, 3, 1), 11_017),
        ((2100, 3, 1), 47_541),
    ] {
        assert_eq!(days_from_civil(date.0, date.1, date.2), days, "{date:?}");
    }
}

#[test]
fn damaged_certificates_are_refused() {
    let [ca, ..] = all();
    for end in 0..ca.der.len() {
        assert!(Certificate::read(&ca.der[..end]).is_err());
    }
    for at in 0..ca.der.len() {
        let mut damaged = ca.der.clone();
        damaged[at] ^= 0x55;
        if let Ok(damaged) = Certificate::read(&damaged)
            && damaged.signed != ca.signed
        {
            assert!(!damaged.is_issued_by(&ca), "byte {at}");
        }
    }
    assert_eq!(Certificate::read_pem("no certificate").unwrap(), []);
}
