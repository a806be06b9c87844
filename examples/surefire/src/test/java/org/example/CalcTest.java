package org.example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CalcTest {
    @Test
    void adds() {
        assertEquals(3, Calc.add(1, 2));
    }

    /** It fails, on purpose. */
    @Test
    void carries() {
        assertEquals(11, Calc.add(9, 1));
    }

    @Test
    @Disabled("nobody is there")
    void addsOnTheMoon() {}

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void nothingTo(int n) {
        assertEquals(n, Calc.add(n, 0));
    }

    /** Tried again, it passes. */
    @Test
    void isLateAtFirst() throws IOException {
        Path seen = Path.of(System.getenv("TMPDIR"), "seen");
        if (!Files.exists(seen)) {
            Files.createFile(seen);
            throw new IllegalStateException("late");
        }
    }

    @Nested
    class WithNegatives {
        @Test
        void adds() {
            assertEquals(0, Calc.add(1, -1));
        }
    }
}
