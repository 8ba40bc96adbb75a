//! The smallest actor: gives every message back as it came.

use airssys_sdk::actor::*;

#[derive(Default)]
struct Echo;

#[component]
impl Echo {
    #[handler]
    fn handle(&mut self, message: Vec<u8>) -> Vec<u8> {
        message
    }
}
