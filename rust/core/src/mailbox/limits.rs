//! How much a mailbox holds, and what happens past that.

/// Messages a mailbox holds unless told otherwise.
pub const MESSAGES_MAX_DEFAULT: u32 = 1000;

/// Bytes a mailbox holds unless told otherwise: sixteen messages of the largest default size, or
/// a thousand of 16 KiB.
pub const BYTES_MAX_DEFAULT: usize = 16 << 20;

/// What a full mailbox does with one message more.
///
/// A message never displaces a more urgent one: if everything that waits is more urgent than the
/// newcomer, `DropOldest` drops the newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WhenFull {
    /// The sender waits until there is room.
    #[default]
    Block,
    /// The sender is refused.
    Reject,
    /// The newcomer is dropped.
    DropNewest,
    /// The oldest messages of the lowest lane make way.
    DropOldest,
}

/// How much a mailbox holds. System messages are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxLimits {
    pub(super) messages_max: u32,
    pub(super) waiting_max: u32,
    pub(super) bytes_max: usize,
    pub(super) when_full: WhenFull,
}

/// Limits that make no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailboxLimitsError {
    /// A mailbox that takes no message.
    #[error("a mailbox must hold at least 1 message; hint: the default is {MESSAGES_MAX_DEFAULT}")]
    NoMessages,
    /// A mailbox that takes no byte.
    #[error("a mailbox must hold at least 1 byte; hint: the default is {BYTES_MAX_DEFAULT}")]
    NoBytes,
}

impl Default for MailboxLimits {
    fn default() -> Self {
        Self {
            messages_max: MESSAGES_MAX_DEFAULT,
            waiting_max: MESSAGES_MAX_DEFAULT,
            bytes_max: BYTES_MAX_DEFAULT,
            when_full: WhenFull::default(),
        }
    }
}

impl MailboxLimits {
    /// At most `messages_max` messages and `bytes_max` bytes, then `when_full`. As many senders
    /// may wait for room as the mailbox holds messages.
    ///
    /// # Errors
    ///
    /// [`MailboxLimitsError`] if either bound is 0.
    pub fn new(
        messages_max: u32,
        bytes_max: usize,
        when_full: WhenFull,
    ) -> Result<Self, MailboxLimitsError> {
        if messages_max == 0 {
            return Err(MailboxLimitsError::NoMessages);
        }
        if bytes_max == 0 {
            return Err(MailboxLimitsError::NoBytes);
        }
        Ok(Self {
            messages_max,
            waiting_max: messages_max,
            bytes_max,
            when_full,
        })
    }

    /// The same, with `waiting_max` senders that may wait for room; 0 lets none wait.
    #[must_use]
    pub fn with_waiting_max(self, waiting_max: u32) -> Self {
        Self {
            waiting_max,
            ..self
        }
    }

    /// Messages it holds.
    pub fn messages_max(&self) -> u32 {
        self.messages_max
    }

    /// Bytes it holds.
    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Senders that may wait for room.
    pub fn waiting_max(&self) -> u32 {
        self.waiting_max
    }

    /// What happens to one message more.
    pub fn when_full(&self) -> WhenFull {
        self.when_full
    }
}
