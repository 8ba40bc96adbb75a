//! The same component, with a shorter way from the host to its functions.
//!
//! Each time the host calls a function that a component exports, the engine looks up
//! the core function behind it. Of a function that the core instance *defines*, it looks
//! for the code; of one that the core instance *imports*, it has the address. So
//! [`relift`] puts one more core module into the component, which imports the functions
//! that are lifted and exports them again, and lifts what that module exports. The
//! functions are the same, and so is what they do: nothing is called on the way.
//!
//! What is not understood is left as it is.

mod passage;
mod rewrite;
mod survey;

/// Functions that are led through the module. Each is a record of some 70 bytes in
/// every instance; a component that lifts more that are wanted is left alone.
pub const FUNCTIONS_MAX: usize = 64;
/// Core instances of a component that gets one more. Those of tool chains have up to
/// five; of a component with many, all that a host allows may be in use.
pub const CORE_INSTANCES_MAX: usize = 16;

/// Leads functions that a valid component lifts through a module of their own.
///
/// `wanted` chooses them by the name under which their core instance exports them: each
/// function that is led makes a new instance slower by as much as one call of it is faster.
/// Tool chains make that name of those of the interface and of the function, with `#` in
/// between.
///
/// Whatever stands before the first lift stays where it is, byte for byte, so that
/// offsets into its modules mean what they meant. Only lifts of the component itself
/// are changed, not those of components inside it.
///
/// The caller validates what comes back, with the proposals it allows.
///
/// # Returns
///
/// The new binary, or `None` if there is nothing to do, or something that this does not
/// understand:
///
/// - no core function of a core module in the component is lifted that is wanted, or all of
///   them were led through such a module already;
/// - modules stand behind the first lift, or core instances whose functions are lifted;
/// - core instances are made of components inside;
/// - there is more than [`FUNCTIONS_MAX`] or [`CORE_INSTANCES_MAX`] allow;
/// - the bytes are no valid component.
pub fn relift(binary: &[u8], wanted: impl Fn(&str) -> bool) -> Option<Vec<u8>> {
    let plan = survey::survey(binary, &wanted).ok()??;
    rewrite::rewrite(binary, &plan).ok()
}
