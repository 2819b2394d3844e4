//! Recorded exchanges of a connector: how many there are, and how far they are to be believed.

/// Where a recorded exchange comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeOrigin {
    /// The vendor itself, with a real account.
    Live,
    /// A real server of the vendor's protocol.
    RealServer,
    /// A double that the vendor's own client or description was held against.
    CheckedDouble,
    /// The vendor's machine-readable description.
    VendorDescription,
    /// The vendor's prose.
    Documentation,
}

impl ExchangeOrigin {
    /// All of them, the most trustworthy first.
    pub const ALL: [Self; 5] =
        [Self::Live, Self::RealServer, Self::CheckedDouble, Self::VendorDescription, Self::Documentation];

    /// As exchange files and the wire name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::RealServer => "real-server",
            Self::CheckedDouble => "checked-double",
            Self::VendorDescription => "vendor-description",
            Self::Documentation => "documentation",
        }
    }

    /// Whether such an exchange counts as verified.
    pub fn verifies(self) -> bool {
        matches!(self, Self::Live | Self::RealServer)
    }
}

/// How many exchanges of each origin a connector has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExchangeCounts([u32; ExchangeOrigin::ALL.len()]);

impl ExchangeCounts {
    /// Exchanges of one origin.
    pub fn of(&self, origin: ExchangeOrigin) -> u32 {
        self.iter().find(|(known, _)| *known == origin).map_or(0, |(_, count)| count)
    }

    /// Exchanges with the vendor or a real server.
    pub fn verified(&self) -> u32 {
        self.iter().filter(|(origin, _)| origin.verifies()).map(|(_, count)| count).sum()
    }

    /// Each origin with its count.
    pub fn iter(&self) -> impl Iterator<Item = (ExchangeOrigin, u32)> {
        ExchangeOrigin::ALL.into_iter().zip(self.0)
    }

    /// Adds one file's exchanges. Reads only the lines that count: the files are large, and everything else
    /// in them is the tests' business.
    pub(crate) fn add(&mut self, text: &str) -> Result<(), &'static str> {
        let origin = text.lines().find_map(|line| line.strip_prefix("origin: ")).map(str::trim);
        let origin = ExchangeOrigin::ALL.iter().position(|known| Some(known.name()) == origin);
        let count = text.lines().filter(|line| line.starts_with("  - name: ")).count();
        let known = origin.and_then(|at| self.0.get_mut(at));
        let known = known.ok_or(
            "origin: must be live, real-server, checked-double, vendor-description or documentation",
        )?;
        *known += u32::try_from(count).unwrap_or(u32::MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_counted_by_their_origin() {
        let mut counts = ExchangeCounts::default();
        counts.add("origin: live\nexchanges:\n  - name: \"a\"\n    call: x\n  - name: \"b\"\n").unwrap();
        counts.add("origin: documentation\nexchanges:\n  - name: \"c\"\n").unwrap();
        assert_eq!(counts.iter().map(|(_, count)| count).collect::<Vec<_>>(), [2, 0, 0, 0, 1]);
        assert_eq!((counts.verified(), counts.of(ExchangeOrigin::Documentation)), (2, 1));
        assert!(counts.add("origin: hearsay\n").is_err());
    }
}
