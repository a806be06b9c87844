package org.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class OtherTest {
    @Test
    void adds() {
        assertEquals(3, Calc.add(1, 2));
    }

    /** It is an error, on purpose. */
    @Test
    void asksTheMoon() {
        throw new IllegalStateException("nobody is there");
    }
}
