//! Vestibule
