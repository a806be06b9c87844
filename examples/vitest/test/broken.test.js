// It cannot be loaded, on purpose.
import "../is-not-there.js";
