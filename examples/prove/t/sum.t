use strict;
use warnings;

use Test::More;

is( 1 + 2, 3, 'adds' );
is( 9 + 1, 11, 'carries (on purpose not)' );
SKIP: {
    skip 'nobody is there', 1;
    fail 'adds on the moon';
}
subtest 'nothing' => sub {
    is( $_ + 0, $_, "to $_" ) for 1 .. 2;
};

done_testing;
