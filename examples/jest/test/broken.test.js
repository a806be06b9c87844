// It cannot be loaded, on purpose.
require("../is-not-there");
