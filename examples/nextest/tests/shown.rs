#[test]
fn is_shown() {
    assert_eq!(itoa::Buffer::new().format(calc::add(2, 2)), "4");
}

/// It fails, on purpose.
#[test]
fn is_shown_in_roman() -> Result<(), String> {
    Err("no such numerals".to_string())
}
