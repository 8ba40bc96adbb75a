//! Makes a panic's message visible to the host before the instance traps.
//!
//! Without this a panic is a bare `unreachable` trap: a component that imports
//! nothing has nowhere to write. Nothing here is linked unless it is asked for.

use std::panic::{PanicHookInfo, set_hook};

/// From now on hands the message of a panic to `report`, before the trap.
///
/// `report` gets one line, `panicked at src/lib.rs:7:5: the message`. It should call
/// an import of the component's world and do no more: if it panics itself, the
/// instance traps at once. `#[component(on_panic = …)]` calls this when the component
/// is instantiated.
pub fn report_to(report: fn(&str)) {
    set_hook(Box::new(move |info| report(&line(info))));
}

fn line(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("a panic without a message");
    match info.location() {
        Some(place) => format!("panicked at {place}: {message}"),
        None => format!("panicked: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, take_hook};
    use std::sync::Mutex;

    use super::report_to;

    static REPORTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

    #[test]
    fn a_panic_is_reported_with_its_place_and_message() {
        report_to(|line| {
            REPORTED
                .lock()
                .expect("no holder panics")
                .push(line.to_owned());
        });
        let caught = catch_unwind(|| panic!("out of {}", "paper"));
        let _ = take_hook();

        assert!(caught.is_err());
        let reported = REPORTED.lock().expect("no holder panics");
        assert_eq!(reported.len(), 1, "{reported:?}");
        assert!(reported[0].starts_with("panicked at "), "{reported:?}");
        assert!(reported[0].contains("panic.rs:"), "{reported:?}");
        assert!(reported[0].ends_with(": out of paper"), "{reported:?}");
    }
}
