//! Topics and patterns: what is refused, what matches, what is in what, and who gets it.

use std::collections::{BTreeMap, BTreeSet};

use airssys_core::topics::{
    SubscriptionLimits, SubscriptionsFull, TOPIC_BYTES_MAX, Topic, TopicPattern, TopicProblem,
    Topics,
};
use proptest::prelude::*;

fn pattern(text: &str) -> TopicPattern {
    TopicPattern::parse(text).unwrap()
}

fn topic(text: &str) -> Topic<'_> {
    Topic::parse(text).unwrap()
}

#[test]
fn what_is_no_topic_and_no_pattern_is_refused_at_its_place() {
    let empty_name = |at| TopicProblem::EmptyName { at };
    let character = |character, at| TopicProblem::Character { character, at };
    let long = "a".repeat(TOPIC_BYTES_MAX + 1);
    let tokens = vec!["a"; 10_000].join(".");
    for (text, problem) in [
        ("", TopicProblem::Empty),
        (".", empty_name(0)),
        ("a..b", empty_name(2)),
        (".a", empty_name(0)),
        ("a.", empty_name(2)),
        ("a.b\0", character('\0', 3)),
        ("Orders", character('O', 0)),
        ("orders new", character(' ', 6)),
        ("orders/new", character('/', 6)),
        ("orders.größe", character('ö', 9)),
        ("a.>", character('>', 2)),
        ("$SYS", TopicProblem::Reserved),
        ("$sys.stats", TopicProblem::Reserved),
        ("a.$sys", character('$', 2)),
        (&long, TopicProblem::TooLong { bytes: 257 }),
        (&tokens, TopicProblem::TooLong { bytes: 19_999 }),
    ] {
        assert_eq!(Topic::parse(text).unwrap_err().problem, problem, "{text:?}");
        assert_eq!(
            TopicPattern::parse(text).unwrap_err().problem,
            problem,
            "{text:?}"
        );
    }
}

#[test]
fn a_problem_says_where_it_is() {
    for (text, at) in [
        ("", None),
        (&*"a".repeat(300), None),
        ("a..b", Some(2)),
        ("aB", Some(1)),
        ("$a", Some(0)),
        ("a.b*", Some(3)),
        ("a.#.b", Some(2)),
    ] {
        assert_eq!(TopicPattern::parse(text).unwrap_err().problem.at(), at);
    }
    assert_eq!(Topic::parse("a.*").unwrap_err().problem.at(), Some(2));
}

#[test]
fn a_clone_is_a_table_of_its_own() {
    let mut topics = Topics::new(SubscriptionLimits::default());
    topics.subscribe(1, &pattern("a.*")).unwrap();
    let copy = topics.clone();
    topics.remove(1);
    let mut found = Vec::new();
    copy.collect(topic("a.b"), &mut found);
    assert_eq!(found, [1]);
    assert!(copy.is_subscriber(1) && !topics.is_subscriber(1));
}

#[test]
fn a_wildcard_is_a_whole_name_and_only_in_patterns() {
    let partial = |at| TopicProblem::PartialWildcard { at };
    for (text, problem) in [
        ("*x", partial(0)),
        ("x*", partial(1)),
        ("a.**", partial(2)),
        ("a.##", partial(2)),
        ("a.b#", partial(3)),
        ("a.#.b", TopicProblem::RestNotLast { at: 2 }),
        ("#.#", TopicProblem::RestNotLast { at: 0 }),
        ("#.", TopicProblem::RestNotLast { at: 0 }),
        ("*.", TopicProblem::EmptyName { at: 2 }),
    ] {
        assert_eq!(
            TopicPattern::parse(text).unwrap_err().problem,
            problem,
            "{text:?}"
        );
    }
    for text in ["*", "#", "a.*", "a.#", "*.b"] {
        let at = text.find(['*', '#']).unwrap();
        let problem = Topic::parse(text).unwrap_err().problem;
        assert_eq!(problem, TopicProblem::Wildcard { at }, "{text:?}");
        assert_eq!(pattern(text).as_str(), text);
    }
}

#[test]
fn the_longest_topic_and_the_one_of_most_names_are_topics() {
    let long = "a".repeat(TOPIC_BYTES_MAX);
    let many = vec!["a"; TOPIC_BYTES_MAX / 2].join(".");
    let mut topics = Topics::new(SubscriptionLimits::default());
    for text in [&long, &many] {
        topics.subscribe(1, &pattern(text)).unwrap();
        let mut found = vec![];
        topics.collect(topic(text), &mut found);
        assert_eq!(found, [1]);
    }
}

#[test]
fn an_error_repeats_no_control_character_and_no_megabyte() {
    let hostile = format!("a\x1b[2J\0{}", "x".repeat(1 << 20));
    let message = Topic::parse(&hostile).unwrap_err().to_string();

    assert!(message.chars().all(|c| !c.is_control()), "{message}");
    assert!(
        message.len() < 400 && message.contains("hint: "),
        "{message}"
    );
}

#[test]
fn patterns_match_what_the_table_of_the_docs_says() {
    for (text, yes, no) in [
        (
            "orders.*",
            &["orders.new"][..],
            &["orders", "orders.new.eu"][..],
        ),
        (
            "orders.#",
            &["orders", "orders.new", "orders.new.eu"],
            &["order", "x.orders"],
        ),
        (
            "*.new",
            &["orders.new"],
            &["new", "orders.new.eu", "orders.old"],
        ),
        ("#", &["orders", "orders.new"], &[]),
        ("*.#", &["orders", "orders.new"], &[]),
        ("*", &["orders"], &["orders.new"]),
        ("orders", &["orders"], &["orders.new"]),
        ("*.*.#", &["a.b", "a.b.c"], &["a"]),
    ] {
        for one in yes {
            assert!(pattern(text).matches(topic(one)), "{text} {one}");
        }
        for one in no {
            assert!(!pattern(text).matches(topic(one)), "{text} {one}");
        }
    }
}

#[test]
fn a_grant_covers_sets_and_not_texts() {
    for (outer, inner, contains) in [
        ("orders.#", "orders.*", true),
        ("orders.#", "orders", true),
        ("orders.#", "orders.#", true),
        ("orders.#", "orders.*.#", true),
        ("orders.#", "#", false),
        ("orders.*", "orders.#", false),
        ("orders.*", "orders.new", true),
        ("orders.*.#", "orders.#", false),
        ("*.#", "#", true),
        ("#", "*.#", true),
        ("*", "orders", true),
        ("orders", "*", false),
        ("*.*", "*", false),
        ("orders.new", "orders.new", true),
    ] {
        let (outer, inner) = (pattern(outer), pattern(inner));
        assert_eq!(outer.contains(&inner), contains, "{outer} {inner}");
    }
}

/// Patterns of two names, which is all it takes: a third stands for every other.
fn patterns() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "*"]);
    let names = || prop::collection::vec(name.clone(), 1..4);
    prop_oneof![
        4 => names().prop_map(|names| names.join(".")),
        4 => names().prop_map(|names| names.join(".") + ".#"),
        1 => Just("#".to_owned()),
    ]
}

/// Every topic of at most five names of three.
fn all_topics() -> Vec<String> {
    let mut all: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
    let mut shorter = all.clone();
    for _ in 0..4 {
        shorter = shorter
            .iter()
            .flat_map(|topic| ["a", "b", "c"].map(|name| format!("{topic}.{name}")))
            .collect();
        all.extend_from_slice(&shorter);
    }
    all
}

/// What a pattern means, as a search over all splits.
fn means(pattern: &[&str], topic: &[&str]) -> bool {
    match (pattern, topic) {
        ([], []) | (["#"], _) => true,
        ([first, pattern @ ..], [name, topic @ ..]) => {
            (*first == "*" || first == name) && means(pattern, topic)
        }
        _ => false,
    }
}

fn split(text: &str) -> Vec<&str> {
    text.split('.').collect()
}

proptest! {
    #[test]
    fn one_pattern_contains_another_if_no_topic_says_otherwise(
        outer in patterns(),
        inner in patterns(),
    ) {
        let (wide, narrow) = (pattern(&outer), pattern(&inner));
        let topics = all_topics();
        let by_force = topics
            .iter()
            .filter(|text| narrow.matches(topic(text)))
            .all(|text| wide.matches(topic(text)));
        prop_assert_eq!(wide.contains(&narrow), by_force, "{} {}", wide, narrow);
        for text in &topics {
            let expected = means(&split(&outer), &split(text));
            prop_assert_eq!(wide.matches(topic(text)), expected, "{} {}", wide, text);
        }
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC*|[ab.*#$]{0,12}") {
        if let Ok(topic) = Topic::parse(&text) {
            prop_assert!(TopicPattern::parse(&text).is_ok_and(|same| same.matches(topic)));
        }
        if let Ok(pattern) = TopicPattern::parse(&text) {
            prop_assert!(pattern.contains(&pattern));
            prop_assert!(self::pattern("#").contains(&pattern));
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Subscribe(u8, String),
    Unsubscribe(u8, String),
    Remove(u8),
    Publish(String),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0_u8..5;
    let topics = "[abc](\\.[abc]){0,4}";
    let step = prop_oneof![
        8 => (who(), patterns()).prop_map(|(who, text)| Step::Subscribe(who, text)),
        5 => (who(), patterns()).prop_map(|(who, text)| Step::Unsubscribe(who, text)),
        1 => who().prop_map(Step::Remove),
        6 => topics.prop_map(Step::Publish),
    ];
    prop::collection::vec(step, 0..80)
}

const LIMITS: SubscriptionLimits = SubscriptionLimits {
    subscriptions_max: 15,
    per_subscriber_max: 6,
    names_max: 20,
};

/// The different names at different places: all prefixes without a final `#`.
fn names_of(model: &BTreeMap<u8, BTreeSet<String>>) -> usize {
    let mut prefixes = BTreeSet::new();
    for text in model.values().flatten() {
        let names: Vec<_> = text.split('.').filter(|name| *name != "#").collect();
        for count in 1..=names.len() {
            prefixes.insert(names[..count].join("."));
        }
    }
    prefixes.len()
}

fn subscribe_both(
    topics: &mut Topics<u8>,
    model: &mut BTreeMap<u8, BTreeSet<String>>,
    who: u8,
    text: String,
) {
    let total: usize = model.values().map(BTreeSet::len).sum();
    let names = topics.names();
    let own = model.entry(who).or_default();
    match topics.subscribe(who, &pattern(&text)) {
        Ok(new) => assert_eq!(new, own.insert(text)),
        Err(full) => {
            assert!(!own.contains(&text));
            assert_eq!(topics.names(), names);
            match full {
                SubscriptionsFull::Subscriber { subscriptions } => {
                    assert_eq!((subscriptions, own.len()), (6, 6));
                }
                SubscriptionsFull::Subscriptions { subscriptions } => {
                    assert_eq!((subscriptions, total), (15, 15));
                }
                SubscriptionsFull::Names { names, more } => assert!(names + more > 20),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_topic_goes_to_each_whose_patterns_match_once(steps in steps()) {
        let mut topics = Topics::new(LIMITS);
        let mut model: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Subscribe(who, text) => {
                    subscribe_both(&mut topics, &mut model, who, text);
                }
                Step::Unsubscribe(who, text) => {
                    let had = model.entry(who).or_default().remove(&text);
                    prop_assert_eq!(topics.unsubscribe(who, &pattern(&text)), had);
                }
                Step::Remove(who) => {
                    let had = model.remove(&who).unwrap_or_default().len();
                    prop_assert_eq!(topics.remove(who), had);
                }
                Step::Publish(text) => {
                    let mut found = vec![99];
                    topics.collect(topic(&text), &mut found);
                    let matches = |one: &String| means(&split(one), &split(&text));
                    let expected: Vec<u8> = model
                        .iter()
                        .filter(|(_, own)| own.iter().any(matches))
                        .map(|(who, _)| *who)
                        .collect();
                    prop_assert_eq!(found[0], 99);
                    prop_assert_eq!(&found[1..], &expected);
                }
            }
            let subscriptions = model.values().map(BTreeSet::len).sum::<usize>();
            prop_assert_eq!(topics.len(), subscriptions);
            prop_assert_eq!(topics.is_empty(), subscriptions == 0);
            prop_assert_eq!(topics.names(), names_of(&model));
            for (who, own) in &model {
                let mut patterns = topics.patterns_of(*who);
                patterns.sort();
                prop_assert!(patterns.iter().eq(own));
            }
        }
    }
}
