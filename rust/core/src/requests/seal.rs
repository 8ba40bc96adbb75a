//! The numbers of requests that guests see.
//!
//! A key is an index and a count, so it tells how busy a host is, and the next one can be guessed.
//! Guests get it enciphered with Speck64/128, a block cipher of exactly the size of a key: without
//! the host's secret the numbers look random, each belongs to one key, and a forged one deciphers
//! to a key that almost surely never was. (Beaulieu et al., "The SIMON and SPECK Families of
//! Lightweight Block Ciphers", 2013, cryptology ePrint 2013/404.) It is a second line: the owner
//! of a request is checked all the same.

use super::Key;

const ROUNDS: usize = 27;

/// A request as a guest knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(pub u64);

/// Turns keys into numbers for guests, and back.
#[derive(Clone)]
pub struct Seal {
    round_keys: [u32; ROUNDS],
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(secret)")
    }
}

impl Seal {
    /// A seal with this secret, which should be random and new for each run of a host.
    pub fn new(secret: [u32; 4]) -> Self {
        let mut round_keys = [0; ROUNDS];
        let mut key = secret[0];
        let mut rest = [secret[1], secret[2], secret[3]];
        for (round, round_key) in (0_u32..).zip(&mut round_keys) {
            *round_key = key;
            let word = &mut rest[round as usize % 3];
            (*word, key) = encipher_round(*word, key, round);
        }
        Self { round_keys }
    }

    /// The number a guest gets for a key.
    pub fn seal(&self, key: Key) -> RequestId {
        let (mut high, mut low) = halves(key.as_u64());
        for &round_key in &self.round_keys {
            (high, low) = encipher_round(high, low, round_key);
        }
        RequestId(joined(high, low))
    }

    /// The key behind a number that a guest gave. It need not exist.
    pub fn unseal(&self, id: RequestId) -> Key {
        let (mut high, mut low) = halves(id.0);
        for &round_key in self.round_keys.iter().rev() {
            (high, low) = decipher_round(high, low, round_key);
        }
        Key::from_u64(joined(high, low))
    }
}

const fn encipher_round(high: u32, low: u32, round_key: u32) -> (u32, u32) {
    let high = high.rotate_right(8).wrapping_add(low) ^ round_key;
    (high, low.rotate_left(3) ^ high)
}

const fn decipher_round(high: u32, low: u32, round_key: u32) -> (u32, u32) {
    let low = (low ^ high).rotate_right(3);
    ((high ^ round_key).wrapping_sub(low).rotate_left(8), low)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves are what is wanted"
)]
const fn halves(number: u64) -> (u32, u32) {
    ((number >> 32) as u32, number as u32)
}

const fn joined(high: u32, low: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cipher_is_the_one_of_the_paper() {
        // The test vector of Speck64/128 in appendix C of the paper.
        let seal = Seal::new([0x0302_0100, 0x0b0a_0908, 0x1312_1110, 0x1b1a_1918]);
        let key = Key::from_u64(0x3b72_6574_7475_432d);

        assert_eq!(seal.seal(key), RequestId(0x8c6f_a548_454e_028b));
    }

    #[test]
    fn a_seal_does_not_print_its_secret() {
        assert_eq!(format!("{:?}", Seal::new([1, 2, 3, 4])), "Seal(secret)");
    }

    proptest! {
        #[test]
        fn what_was_sealed_comes_back(secret: [u32; 4], number: u64) {
            let seal = Seal::new(secret);
            let key = Key::from_u64(number);

            prop_assert_eq!(seal.unseal(seal.seal(key)), key);
            prop_assert_eq!(seal.seal(seal.unseal(RequestId(number))), RequestId(number));
        }
    }
}
