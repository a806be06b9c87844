use Test::More;

plan skip_all => 'to be written';
