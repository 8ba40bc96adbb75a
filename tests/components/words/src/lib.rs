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
        let words = text.split_whitespace();
        let longest = words.clone().max_by_key(|word| word.chars().count());
        let longest = longest.ok_or("no words")?.to_owned();
        Ok(Summary {
            words: words.count() as u32,
            longest,
        })
    }
}
