//! A whole component, in fewer lines than a test allows it.
use airssys_sdk::component;

#[component(package = "acme:words")]
mod api {
    pub struct Summary {
        pub words: u32,
        pub longest: String,
    }

    /// Counts the words of a text and finds the longest.
    pub fn count(text: &str) -> Result<Summary, &'static str> {
        let mut words: Vec<_> = text.split_whitespace().collect();
        words.sort_by_key(|word| word.chars().count());
        let longest = words.last().ok_or("no words")?.to_string();
        let words = words.len() as u32;
        Ok(Summary { words, longest })
    }
}
