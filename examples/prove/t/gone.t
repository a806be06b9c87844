use strict;
use warnings;

use Test::More;

pass 'is there';
done_testing;
kill KILL => $$;
