//! The switch of the planted bugs. In this build there are none: the self-test's copy of the sources has another file in the
//! place of this one.

/// Whether this build has the bugs of the self-test in it.
pub const HAS_BUGS: bool = false;

/// Lets a bug bite on this thread from now on, and no other.
pub fn plant(bug: Option<&str>) {
    assert!(bug.is_none(), "a build without bugs has no {bug:?} to plant");
}
