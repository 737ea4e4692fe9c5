//! The keys that sign ID tokens.
