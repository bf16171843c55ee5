//! Sets of methods.

/// Methods that a path is served by. Where there is GET, there is HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods(u8);

/// In the order of an `Allow` header.
const NAMES: [(&str, u8); 7] =
    [("GET", 1), ("HEAD", 2), ("POST", 4), ("PUT", 8), ("PATCH", 16), ("DELETE", 32), ("OPTIONS", 64)];

impl Methods {
    pub const NONE: Self = Self(0);
    /// HEAD is served as GET is, without the body.
    pub const GET: Self = Self(1 | 2);
    pub const POST: Self = Self(4);
    pub const PATCH: Self = Self(16);
    pub const DELETE: Self = Self(32);
    pub const OPTIONS: Self = Self(64);
    pub const ALL: Self = Self(127);

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The one of this name; none if it is not one of ours.
    pub fn named(name: &str) -> Self {
        NAMES.iter().find(|(known, _)| *known == name).map_or(Self::NONE, |(_, bit)| Self(*bit))
    }

    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Their names, as an `Allow` header has them.
    pub fn allow(self) -> String {
        let named = NAMES.iter().filter(|(_, bit)| self.0 & bit != 0);
        named.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
