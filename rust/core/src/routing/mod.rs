//! From a name to the actor behind it.
//!
//! [`Names`] is the writer's side: it gives out handles and makes new versions of the table.
//! [`NameTable`] is one version, never changed once it was handed out, so readers need no lock:
//! the owner publishes it through an atomic pointer. Versions share what did not change: one
//! name more copies one shard of 64 and one page of handles.
//!
//! [`Pool`] chooses one of several members behind one name.
//!
//! Costs: a look-up by handle is two array accesses, one by name a hash of the text and one probe.
//! Inserting or removing is O(names / 64) if the last version is still read, else O(1).

mod names;
mod pool;
mod table;

pub use names::{NAMES_MAX_DEFAULT, NameError, Names};
pub use pool::{Pick, Pool};
pub use table::{Entry, NameTable};
