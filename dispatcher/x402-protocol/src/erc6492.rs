//! The envelope around a signature of a smart account that is not deployed yet (ERC-6492): the ABI of
//! `(address factory, bytes factoryCalldata, bytes signature)`, and 32 bytes of magic behind it.
//!
//! Surprising constraint: a facilitator's library throws at an envelope that it cannot open. So one that is not exactly as
//! encoders write it never reaches a facilitator.

use crate::Address;

/// The last 32 bytes of every envelope.
pub const MAGIC: [u8; 32] = [
    0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64,
    0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92, 0x64, 0x92,
];

const WORD: usize = 32;
/// Factory, and the places of the two byte strings.
const HEAD: usize = 3 * WORD;

/// An opened envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub factory: Address,
    pub factory_calldata: &'a [u8],
    /// The account's own signature, for when it is deployed.
    pub signature: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("is shorter than its head")]
    Short,
    #[error("names no factory")]
    Factory,
    #[error("has a byte string that does not lie where an encoder puts it")]
    Place,
    #[error("has a byte string that is longer than the envelope")]
    Length,
    #[error("has padding that is not zero")]
    Padding,
    #[error("has bytes behind its last byte string")]
    Rest,
    #[error("has no signature in it")]
    Empty,
    #[error("has another envelope in it")]
    Nested,
}

/// Whether these bytes claim to be an envelope.
#[must_use]
pub fn is_envelope(bytes: &[u8]) -> bool {
    bytes.ends_with(&MAGIC)
}

/// Opens an envelope, magic included.
pub fn open(bytes: &[u8]) -> Result<Envelope<'_>, EnvelopeError> {
    let abi = bytes.strip_suffix(&MAGIC).unwrap_or(bytes);
    let head = abi.get(..HEAD).ok_or(EnvelopeError::Short)?;
    let (padding, factory) = head[..WORD].split_at(WORD - 20);
    if padding.iter().any(|byte| *byte != 0) {
        return Err(EnvelopeError::Padding);
    }
    let mut address = [0; 20];
    address.copy_from_slice(factory);
    if address == [0; 20] {
        return Err(EnvelopeError::Factory);
    }
    let (factory_calldata, after) = bytes_at(abi, &head[WORD..2 * WORD], HEAD)?;
    let (signature, end) = bytes_at(abi, &head[2 * WORD..], after)?;
    if end != abi.len() {
        return Err(EnvelopeError::Rest);
    }
    if signature.is_empty() {
        return Err(EnvelopeError::Empty);
    }
    if is_envelope(signature) {
        return Err(EnvelopeError::Nested);
    }
    Ok(Envelope { factory: Address(address), factory_calldata, signature })
}

/// The byte string at `at`, which is where the word `place` must say that it is; and where the next one begins.
fn bytes_at<'a>(abi: &'a [u8], place: &[u8], at: usize) -> Result<(&'a [u8], usize), EnvelopeError> {
    if number(place) != Some(at) {
        return Err(EnvelopeError::Place);
    }
    let body = at.checked_add(WORD).ok_or(EnvelopeError::Length)?;
    let length = abi.get(at..body).and_then(number).ok_or(EnvelopeError::Length)?;
    let end = body.checked_add(length).ok_or(EnvelopeError::Length)?;
    let padded = body.checked_add(length.div_ceil(WORD) * WORD).ok_or(EnvelopeError::Length)?;
    let (bytes, padding) = abi.get(body..end).zip(abi.get(end..padded)).ok_or(EnvelopeError::Length)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(EnvelopeError::Padding);
    }
    Ok((bytes, padded))
}

/// A word as a number, as far as anything here can be so long.
fn number(word: &[u8]) -> Option<usize> {
    let (high, low) = word.split_last_chunk::<4>()?;
    high.iter().all(|byte| *byte == 0).then_some(u32::from_be_bytes(*low) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;
    use proptest::prelude::*;

    /// The example in the documentation of viem's decoder.
    const EXAMPLE: &str = concat!(
        "000000000000000000000000cafebabecafebabecafebabecafebabecafebabe",
        "0000000000000000000000000000000000000000000000000000000000000060",
        "00000000000000000000000000000000000000000000000000000000000000a0",
        "0000000000000000000000000000000000000000000000000000000000000004",
        "deadbeef00000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000041",
        "a461f509887bd19e312c0c58467ce8ff8e300d3c1a90b608a760c5b80318eaf1",
        "5fe57c96f9175d6cd4daad4663763baa7e78836e067d0163e9a2ccf2ff753f5b",
        "1b00000000000000000000000000000000000000000000000000000000000000",
        "6492649264926492649264926492649264926492649264926492649264926492",
    );

    fn example() -> Vec<u8> {
        hex::decode_any(&format!("0x{EXAMPLE}")).unwrap()
    }

    /// The envelope as an encoder writes it.
    fn sealed(factory: [u8; 20], calldata: &[u8], signature: &[u8]) -> Vec<u8> {
        let word = |number: usize| [vec![0; WORD - 8], (number as u64).to_be_bytes().to_vec()].concat();
        let string = |bytes: &[u8]| {
            let padding = bytes.len().div_ceil(WORD) * WORD - bytes.len();
            [word(bytes.len()), bytes.to_vec(), vec![0; padding]].concat()
        };
        let first = string(calldata);
        let places = [word(HEAD), word(HEAD + first.len())].concat();
        [vec![0; 12], factory.to_vec(), places, first, string(signature), MAGIC.to_vec()].concat()
    }

    #[test]
    fn opens_the_example_of_the_library_that_facilitators_use() {
        let bytes = example();
        let envelope = open(&bytes).unwrap();
        assert_eq!(envelope.factory.lower(), "0xcafebabecafebabecafebabecafebabecafebabe");
        assert_eq!((envelope.factory_calldata, envelope.signature.len()), (&[0xde, 0xad, 0xbe, 0xef][..], 65));
        assert!(is_envelope(&bytes));
    }

    #[test]
    fn garbage_before_the_magic_is_told_from_an_envelope() {
        let set = |at: usize, byte: u8| {
            let mut bytes = example();
            bytes[at] = byte;
            open(&bytes).unwrap_err()
        };
        assert_eq!(open(&[[0x11; 66].as_slice(), &MAGIC].concat()), Err(EnvelopeError::Short));
        assert_eq!(open(&[[0x11; 320].as_slice(), &MAGIC].concat()), Err(EnvelopeError::Padding));
        assert_eq!(set(0, 1), EnvelopeError::Padding);
        assert_eq!(set(2 * WORD - 1, 0x40), EnvelopeError::Place);
        assert_eq!(set(WORD, 0xff), EnvelopeError::Place);
        assert_eq!(set(3 * WORD - 1, 0x80), EnvelopeError::Place);
        assert_eq!(set(3 * WORD, 0xff), EnvelopeError::Length);
        assert_eq!(set(5 * WORD - 1, 1), EnvelopeError::Padding);
        assert_eq!(set(6 * WORD - 2, 9), EnvelopeError::Length);
        assert_eq!(open(&sealed([0; 20], b"", b"x")), Err(EnvelopeError::Factory));
        assert_eq!(open(&sealed([1; 20], b"x", b"")), Err(EnvelopeError::Empty));
        assert_eq!(open(&sealed([1; 20], b"x", &example())), Err(EnvelopeError::Nested));
        let mut longer = example();
        let at = longer.len() - WORD;
        longer.splice(at..at, [0; WORD]);
        assert_eq!(open(&longer), Err(EnvelopeError::Rest));
    }

    proptest! {
        #[test]
        fn what_an_encoder_wrote_opens(
            factory in prop::array::uniform20(1u8..), calldata in prop::collection::vec(any::<u8>(), 0..100),
            signature in prop::collection::vec(any::<u8>(), 1..100),
        ) {
            let bytes = sealed(factory, &calldata, &signature);
            let opened = open(&bytes).unwrap();
            prop_assert_eq!((opened.factory, opened.factory_calldata, opened.signature), (Address(factory), &calldata[..], &signature[..]));
        }

        /// There is one envelope for each content, and nothing that an encoder would not have written opens.
        #[test]
        fn what_opens_is_what_an_encoder_would_have_written(at in 0_usize..320, to: u8, cut in 0_usize..400) {
            let mut bytes = example();
            bytes[at.min(287)] = to;
            bytes.drain(..cut.saturating_sub(100).min(288));
            if let Ok(Envelope { factory, factory_calldata, signature }) = open(&bytes) {
                prop_assert_eq!(sealed(factory.0, factory_calldata, signature), bytes);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), small: bool) {
            if small {
                bytes.iter_mut().for_each(|byte| *byte &= 0x60);
            }
            bytes.extend(MAGIC);
            let _ = open(&bytes);
        }
    }
}
