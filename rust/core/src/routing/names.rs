//! The writer's side of the table of names.

use std::sync::Arc;

use super::{Entry, NameTable};
use crate::address::{ComponentId, Handle};
use crate::slab::Slab;

/// Names a table holds unless told otherwise.
pub const NAMES_MAX_DEFAULT: usize = 1_000_000;

/// Gives out handles, and makes new versions of the table; see the [module](super).
#[derive(Debug)]
pub struct Names<S> {
    handles: Slab<()>,
    table: Arc<NameTable<S>>,
}

/// Why a name was not taken in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Another actor has it.
    #[error("the name {} is taken; hint: stop the actor that has it, or choose another name", id.written())]
    Taken {
        /// The name.
        id: ComponentId,
        /// The handle of the actor that has it.
        handle: Handle,
    },
    /// The table holds as many as it may.
    #[error("{names} names are in use, and no more are allowed; hint: stop what is not needed")]
    Full {
        /// How many.
        names: usize,
    },
}

impl<S> Names<S> {
    /// No names yet, and at most `names_max`.
    pub fn new(names_max: usize) -> Self {
        Self {
            handles: Slab::new(names_max),
            table: Arc::new(NameTable::new()),
        }
    }

    /// Gives a name a handle that was never in use, and what `make` makes for it.
    ///
    /// # Errors
    ///
    /// [`NameError`] if the name is taken or there are too many; nothing was made.
    pub fn insert(
        &mut self,
        id: ComponentId,
        make: impl FnOnce(Handle) -> S,
    ) -> Result<Arc<Entry<S>>, NameError> {
        if let Some(entry) = self.table.get(&id) {
            let handle = entry.handle;
            return Err(NameError::Taken { id, handle });
        }
        let names = self.handles.len();
        let key = self
            .handles
            .insert(())
            .map_err(|()| NameError::Full { names })?;
        let handle = Handle::from_key(key);
        let slot = make(handle);
        let entry = Arc::new(Entry { id, handle, slot });
        Arc::make_mut(&mut self.table).add(Arc::clone(&entry));
        Ok(entry)
    }

    /// Frees a name. Its handle is never used again.
    pub fn remove(&mut self, handle: Handle) -> Option<Arc<Entry<S>>> {
        self.handles.remove(handle.key())?;
        Arc::make_mut(&mut self.table).take(handle)
    }

    /// The present version, to be published to readers. Changes that are made before it is asked
    /// for again copy nothing twice.
    pub fn table(&self) -> Arc<NameTable<S>> {
        Arc::clone(&self.table)
    }
}
