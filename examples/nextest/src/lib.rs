//! Adds numbers.

pub fn add(a: i64, b: i64) -> i64 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::add;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }

    /// It fails, on purpose.
    #[test]
    fn carries() {
        assert_eq!(add(9, 1), 11, "nine and one");
    }

    #[test]
    #[ignore = "nobody is there"]
    fn adds_on_the_moon() {}
}
