//! PEM (RFC 7468), as people paste it: with or without line breaks, indented, with text around it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One block: its label, and the bytes inside.
pub(crate) struct Block<'t> {
    pub(crate) label: &'t str,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// There were headers of the old encryption inside.
    pub(crate) old_encryption: bool,
}

/// Every block of a text, in order.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, after)) = after.split_once("-----") else { break };
        let Some((body, after)) = after.split_once("-----END ") else { break };
        rest = after;
        let old_encryption = body.contains("ENCRYPTED");
        let encoded: Zeroizing<String> = Zeroizing::new(
            body.lines()
                .filter(|line| !line.contains(':'))
                .flat_map(str::chars)
                .filter(|c| !c.is_whitespace())
                .collect(),
        );
        // Variables that came through JSON may still have their line breaks as `\n`.
        let encoded = Zeroizing::new(encoded.replace("\\n", ""));
        let Ok(bytes) = BASE64.decode(encoded.as_bytes()) else { continue };
        found.push(Block { label: label.trim(), bytes: Zeroizing::new(bytes), old_encryption });
    }
    found
}
