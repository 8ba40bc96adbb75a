//! Addresses: what is read, what is refused, and where the error points.

use std::collections::HashSet;

use airssys_core::address::{AddressError, ComponentId, Handle, Incarnation, Part, Problem};
use proptest::prelude::*;

fn problem(text: &str) -> (Part, Problem) {
    match ComponentId::parse(text).unwrap_err() {
        AddressError::Part { part, problem, .. } => (part, problem),
        other @ AddressError::TooManyParts { .. } => panic!("{other}"),
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    for (text, canonical) in [
        ("resizer", "local/resizer/0"),
        ("acme/resizer", "acme/resizer/0"),
        ("acme/resizer/blue-2", "acme/resizer/blue-2"),
        ("-/a-9/-", "-/a-9/-"),
    ] {
        let id = ComponentId::parse(text).unwrap();

        assert_eq!(id.as_str(), canonical);
        let parts = [id.namespace(), id.name(), id.instance()];
        assert_eq!(parts.join("/"), canonical);
        assert_eq!(id.family(), format!("{}/{}/", id.namespace(), id.name()));
    }
}

#[test]
fn a_part_of_the_wrong_length_is_named() {
    let long = "a".repeat(65);
    let short = |bytes, bytes_min| Problem::TooShort { bytes, bytes_min };
    let too_long = Problem::TooLong {
        bytes: 65,
        bytes_max: 64,
    };
    for (text, part, expected) in [
        ("", Part::Name, short(0, 3)),
        ("ab", Part::Name, short(2, 3)),
        (&long, Part::Name, too_long),
        ("/resizer", Part::Namespace, short(0, 1)),
        (&format!("{long}/resizer"), Part::Namespace, too_long),
        ("acme/resizer/", Part::Instance, short(0, 1)),
        (&format!("acme/resizer/{long}"), Part::Instance, too_long),
    ] {
        assert_eq!(problem(text), (part, expected), "{text:?}");
    }
}

#[test]
fn a_wrong_character_is_named_with_its_part_and_place() {
    let character = |character, at| Problem::Character { character, at };
    let start = |character, at| Problem::Start { character, at };
    for (text, part, expected) in [
        ("Resizer", Part::Name, character('R', 0)),
        ("acme/re_sizer", Part::Name, character('_', 7)),
        ("acme/9lives", Part::Name, start('9', 5)),
        ("acme/-lives", Part::Name, start('-', 5)),
        ("acme/resizer-", Part::Name, Problem::End { at: 12 }),
        ("Acme/resizer", Part::Namespace, character('A', 0)),
        ("ac.me/resizer", Part::Namespace, character('.', 2)),
        ("acme/resizer/A", Part::Instance, character('A', 13)),
        ("acme/resi\0zer", Part::Name, character('\0', 9)),
        ("acme/résizer", Part::Name, character('é', 6)),
        ("acme/../resizer", Part::Name, character('.', 5)),
        (" acme/resizer", Part::Namespace, character(' ', 0)),
        ("acme/resizer/0\n", Part::Instance, character('\n', 14)),
    ] {
        assert_eq!(problem(text), (part, expected), "{text:?}");
    }
}

#[test]
fn a_fourth_part_is_pointed_at() {
    let error = ComponentId::parse("acme/resizer/0/1").unwrap_err();

    assert!(matches!(error, AddressError::TooManyParts { at: 15, .. }));
}

#[test]
fn an_error_repeats_no_control_character_and_no_megabyte() {
    let hostile = format!("\x1b[2J\0{}", "a".repeat(1 << 20));
    let message = ComponentId::parse(&hostile).unwrap_err().to_string();

    assert!(message.chars().all(|c| !c.is_control()), "{message}");
    assert!(message.len() < 400, "{}", message.len());
    assert!(message.contains("hint: "), "{message}");
}

#[test]
fn parts_cannot_smuggle_a_slash() {
    assert!(ComponentId::new("acme", "resizer/1", "0").is_err());
    assert!(ComponentId::new("acme/resizer", "one", "0").is_err());
    let id = ComponentId::new("acme", "resizer", "0").unwrap();
    assert!(id.with_instance("1/2").is_err());
    assert_eq!(id.with_instance("1").unwrap().as_str(), "acme/resizer/1");
}

#[test]
fn the_embedder_has_a_place_of_its_own_in_tables() {
    assert_eq!(Handle::EMBEDDER.index(), 0);
    assert_eq!(Handle::from_u64(1 << 24).index(), 1);
    assert_eq!(Handle::from_u64(u64::MAX).index(), 1 << 24);
}

#[test]
fn an_incarnation_is_followed_by_a_higher_one_and_never_by_the_first() {
    assert!(Incarnation::FIRST.next() > Incarnation::FIRST);
    assert_eq!(Incarnation(u64::MAX).next(), Incarnation(u64::MAX));
}

proptest! {
    #[test]
    fn an_address_is_what_its_text_says(
        namespace in "[a-z0-9-]{1,64}",
        name in "[a-z][a-z0-9-]{1,62}[a-z0-9]",
        instance in "[a-z0-9-]{1,64}",
    ) {
        let id = ComponentId::new(&namespace, &name, &instance).unwrap();

        prop_assert_eq!(id.namespace(), &namespace);
        prop_assert_eq!(id.name(), &name);
        prop_assert_eq!(id.instance(), &instance);
        let again: ComponentId = id.to_string().parse().unwrap();
        prop_assert_eq!(&again, &id);
        prop_assert!(HashSet::from([id]).contains(&again));
    }

    #[test]
    fn what_is_read_is_written_as_the_rules_say(text in "[a-zA-Z0-9/._-]{0,12}|\\PC*") {
        if let Ok(id) = ComponentId::parse(&text) {
            let allowed = |part: &str| part.bytes().all(
                |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
            );
            prop_assert!([id.namespace(), id.name(), id.instance()].into_iter().all(allowed));
            prop_assert!((3..=64).contains(&id.name().len()));
            prop_assert!(id.name().starts_with(|c: char| c.is_ascii_lowercase()));
            prop_assert!(!id.name().ends_with('-'));
            prop_assert!(id.as_str().ends_with(&text) || id.as_str().contains(&text));
        }
    }
}
