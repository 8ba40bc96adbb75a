//! What is refused, in which words, and what the exports call. Where an error points
//! is seen by a compiler only: the tests of the tool chain look at that.

use super::expand;

#[track_caller]
fn assert_refused(block: &str, words: &str) {
    let item = syn::parse_str(block).expect("Rust");
    let message = expand(item).expect_err("refused").to_string();
    assert!(message.contains(words), "{message}");
}

fn expanded(functions: &str) -> String {
    let item: syn::ItemImpl = syn::parse_str(&format!("impl Counter {{ {functions} }}")).unwrap();
    let tokens = expand(item).unwrap_or_else(|error| panic!("{error}"));
    syn::parse2::<syn::File>(tokens.clone()).expect("it is Rust");
    tokens.to_string().replace(' ', "")
}

const HANDLER: &str = "#[handler] fn on(&mut self, c: Command) -> u64 { 1 }";

#[test]
fn an_actor_has_one_handler() {
    assert_refused(
        "impl Counter { fn on(&mut self) {} }",
        "no function has #[handler]",
    );
    assert_refused(
        "impl Counter { #[handler] fn a(&mut self, c: C) {} #[handler] fn b(&self, c: C) {} }",
        "one #[handler], and there is one",
    );
    assert_refused(
        "impl Counter { #[handler] #[stop] fn a(&mut self, c: C) {} }",
        "one part",
    );
}

#[test]
fn an_actor_is_one_plain_type() {
    assert_refused("impl<T> Counter<T> {}", "generic");
    assert_refused("impl Handle for Counter {}", "without a trait");
}

#[test]
fn a_part_borrows_the_state_and_does_not_wait() {
    let one = |function: &str| format!("impl Counter {{ {function} }}");
    assert_refused(&one("#[handler] async fn a(&mut self, c: C) {}"), "async");
    assert_refused(
        &one("#[handler] fn a<T>(&mut self, c: T) {}"),
        "name the type",
    );
    assert_refused(&one("#[handler] fn a(self, c: C) {}"), "&mut self");
    assert_refused(
        &one("#[handler] fn a(self: Box<Self>, c: C) {}"),
        "&mut self",
    );
    assert_refused(&one("#[handler] fn a(c: C) {}"), "comes first");
    assert_refused(&one("#[start] fn a(&self) -> Self {}"), "no self");
    assert_refused(&one("#[health] fn a(&mut self) -> Health {}"), "only looks");
    assert_refused(
        &one("#[handler(cbor)] fn a(&self, c: C) {}"),
        "no arguments",
    );
}

#[test]
fn a_part_has_the_parameters_that_are_called() {
    let with = |function: &str| format!("impl Counter {{ {HANDLER} {function} }}");
    assert_refused(
        "impl Counter { #[handler] fn a(&mut self) {} }",
        "message: …",
    );
    assert_refused(
        "impl Counter { #[handler] fn a(&self, m: &mut M) {} }",
        "by value",
    );
    assert_refused(&with("#[start] fn a(s: &Start) {}"), "returns the state");
    assert_refused(
        &with("#[start] fn a(s: &Start, t: T) -> Self {}"),
        "fn(start: &Start)",
    );
    assert_refused(&with("#[callback] fn a(&mut self) {}"), "outcome: Result");
    assert_refused(
        &with("#[stop] fn a(&mut self, a: A, b: B) {}"),
        "reason: StopReason",
    );
    assert_refused(
        &with("#[health] fn a(&self, b: B) -> Health {}"),
        "-> Health",
    );
}

#[test]
fn our_attributes_go_and_others_stay() {
    let text = expanded("#[inline] #[handler] fn on(&mut self, c: Command) {} fn other() {}");
    assert!(!text.contains("#[handler]"));
    assert!(text.contains("#[inline]fnon"));
    assert!(text.contains("fnother()"));
}

#[test]
fn a_message_is_read_as_the_handler_takes_it() {
    for (parameter, read, argument) in [
        (
            "c: Command",
            "read::<Command>(context,&payload)?",
            "on(self,message)",
        ),
        (
            "c: &Command",
            "read::<Command>(context,&payload)?",
            "on(self,&message)",
        ),
        (
            "c: Command<'_>",
            "read::<Command<'_>>(context",
            "on(self,message)",
        ),
        (
            "c: &str",
            "read::<::std::string::String>(context",
            "on(self,&message)",
        ),
        (
            "c: &[u32]",
            "read::<::std::vec::Vec<u32>>(context",
            "on(self,&message)",
        ),
        (
            "c: C, x: &Context",
            "read::<C>(context",
            "on(self,message,context)",
        ),
        ("c: &[u8]", "require_raw(context)?", "on(self,&payload)"),
        ("c: Vec<u8>", "require_raw(context)?", "on(self,payload)"),
    ] {
        let text = expanded(&format!("#[handler] fn on(&mut self, {parameter}) {{}}"));
        assert!(text.contains(read), "{parameter}: {text}");
        assert!(text.contains(argument), "{parameter}: {text}");
        assert_eq!(
            text.contains("__rt::RAW_CODECS"),
            read.contains("raw"),
            "{parameter}"
        );
    }
}

#[test]
fn a_reply_is_what_the_handler_returns() {
    for (output, part) in [
        (
            "",
            "letreply=Self::on(self,message);__rt::write(context,&reply)",
        ),
        ("-> u64", "letreply=Self::on(self,message);__rt::write"),
        (
            "-> Result<u64, Refusal>",
            "on(self,message).map_err(__actor::Refusal::from)?;__rt::write",
        ),
    ] {
        let text = expanded(&format!("#[handler] fn on(&mut self, c: C) {output} {{}}"));
        assert!(text.contains(part), "{output}: {text}");
    }
    let raw = expanded("#[handler] fn on(&mut self, c: &[u8]) -> Result<Vec<u8>, Refusal> {}");
    assert!(raw.contains("?;::core::result::Result::Ok(::core::convert::Into::into(reply))"));
    let silent = expanded("#[handler] fn on(&mut self, c: &[u8]) {}");
    assert!(
        silent.contains("on(self,&payload);::core::result::Result::Ok(::std::vec::Vec::new())")
    );
}

#[test]
fn the_other_parts_are_called_and_their_errors_kept() {
    let text = expanded(&format!(
        "{HANDLER} #[start] fn s(s: &Start) -> Result<Self, StartError> {{}} \
         #[callback] fn c(&mut self, r: RequestId, o: Result<Reply, SendError>) {{}} \
         #[stop] fn e(&mut self) -> Result<(), String> {{}} \
         #[health] fn h(&self) -> Health {{}}"
    ));
    assert!(
        text.contains("Self::s(start).map_err(__actor::StartError::from)"),
        "{text}"
    );
    assert!(
        text.contains("let()=Self::c(self,request,outcome);"),
        "{text}"
    );
    assert!(text.contains("__rt::said(Self::e(self))"), "{text}");
    assert!(text.contains("Self::h(self)"), "{text}");
    let plain = expanded(&format!("{HANDLER} #[start] fn s() -> Self {{}}"));
    assert!(plain.contains("Ok(Self::s())"), "{plain}");
    assert!(expanded(HANDLER).contains("Default>::default()"));
}
