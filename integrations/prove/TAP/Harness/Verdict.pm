# SPDX-License-Identifier: Apache-2.0
# prove's harness: tells each test as it finishes, one JSON object a line into the file that VERDICT_STREAM names,
# as "file > description"; and runs only the files of the cases that the file named by VERDICT_CASES lists, where
# there is one. The executor loads it with `prove --harness=TAP::Harness::Verdict`. Perl's own modules only.
package TAP::Harness::Verdict;

use strict;
use warnings;

use Config;
use Encode ();
use IO::Handle ();
use JSON::PP ();
use Time::HiRes ();

use parent 'TAP::Harness';

my $TRACE_BYTES   = 60_000;
my $MESSAGE_BYTES = 4_000;

my $json = JSON::PP->new->utf8->canonical;
my ( $stream, %wanted );

sub runtests {
    my ( $self, @tests ) = @_;
    if ( my $path = $ENV{VERDICT_STREAM} ) {
        open $stream, '>>', $path or die "$path: $!\n";
        $stream->autoflush(1);
    }
    if ( my $path = $ENV{VERDICT_CASES} ) {
        %wanted = map { $_ => 1 } read_lines($path);
        my %files = map { ( split / > /, $_, 2 )[0] => 1 } keys %wanted;
        @tests = grep { $files{ name_of($_) } } @tests;
    }
    my $aggregate = $self->SUPER::runtests(@tests);
    say_line( { kind => 'end' } );
    return $aggregate;
}

sub make_parser {
    my ( $self, $job ) = @_;
    my ( $parser, $session ) = $self->SUPER::make_parser($job);
    my $file = {
        name  => name_of( $job->as_array_ref ),
        since => Time::HiRes::time(),
        lines => [],
        bytes => 0,
    };
    $parser->callback( test    => sub { on_test( $file, @_ ) } );
    $parser->callback( $_ => sub { keep( $file, $_[0]->raw ) } ) for qw(comment yaml unknown);
    $parser->callback( bailout => sub { $file->{bailout} = $_[0]->explanation } );
    $parser->callback( EOF     => sub { on_end( $file, @_ ) } );
    return ( $parser, $session );
}

# What a test has to say comes behind it: so it is told with the next one.
sub on_test {
    my ( $file, $test ) = @_;
    flush($file);
    my $now = Time::HiRes::time();
    my ( $name, $status ) = ( $test->description, $test->is_ok ? 'passed' : 'failed' );
    $name =~ s/^\s*-\s+//;
    $name = 'test ' . $test->number if $name eq '';
    $status = 'skipped' if $test->has_skip || $test->has_todo;
    $file->{failed} ||= $status eq 'failed';
    $file->{case}  = {
        id          => "$file->{name} > $name",
        status      => $status,
        duration_ms => int( 1000 * ( $now - $file->{since} ) ),
        started_at  => int( 1000 * $file->{since} ),
        note        => $test->explanation,
    };
    $file->{since} = $now;
    return;
}

sub keep {
    my ( $file, $text ) = @_;
    $file->{bytes} += length $text;
    push @{ $file->{lines} }, $text if $file->{bytes} <= $TRACE_BYTES;
    return;
}

sub on_end {
    my ( $file, $parser ) = @_;
    my $said   = $file->{lines};
    my $signal = ( $parser->wait // 0 ) & 127;    # the exit status is 0 then
    flush($file);
    my @wrong = $parser->parse_errors;
    unshift @wrong, "Bail out! $file->{bailout}" if defined $file->{bailout};
    push @wrong, 'exit status ' . $parser->exit if !@wrong && $parser->exit && !$file->{failed};
    unshift @wrong, 'ended by ' . signal_name($signal) if $signal;
    my $case = { id => $file->{name}, lines => [ @wrong, @$said ] };
    if (@wrong) {
        tell_case( { %$case, status => 'errored', note => $wrong[0] } );
    }
    elsif ( defined $parser->skip_all ) {
        tell_case( { %$case, status => 'skipped', note => $parser->skip_all } );
    }
    elsif ( $wanted{ $file->{name} } ) {    # it was such a case once
        tell_case( { %$case, status => 'passed' } );
    }
    return;
}

sub flush {
    my ($file) = @_;
    my $case = delete $file->{case};
    tell_case( { %$case, lines => $file->{lines} } ) if $case;
    @$file{qw(lines bytes)} = ( [], 0 );
    return;
}

sub tell_case {
    my ($case)  = @_;
    my $lines   = delete $case->{lines};
    my $message = delete $case->{note};
    if ( $case->{status} eq 'failed' || $case->{status} eq 'errored' ) {
        my ($said) = grep { /\S/ } map { s/^#\s*//r } @$lines;
        $message = $said if !defined $message || $message eq '';
        $case->{trace} = cut( join( "\n", @$lines ), $TRACE_BYTES );
    }
    $case->{message} = cut( $message, $MESSAGE_BYTES ) if defined $message && $message ne '';
    $case->{id} = decoded( $case->{id} );
    say_line( { kind => 'case', %$case } );
    return;
}

sub name_of {
    my ($test) = @_;
    my $name = ref $test ? $test->[0] : $test;
    $name =~ s{^(?:\./)+}{};
    return $name;
}

sub signal_name {
    my ($signal) = @_;
    my $name = ( split ' ', $Config{sig_name} // '' )[$signal];
    return defined $name ? "SIG$name" : "signal $signal";
}

sub decoded { return Encode::decode( 'UTF-8', $_[0] // '' ) }

sub cut {
    my ( $text, $limit ) = @_;
    return decoded( length $text <= $limit ? $text : substr( $text, 0, $limit ) . "\n[cut]" );
}

sub read_lines {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    chomp( my @lines = <$file> );
    return @lines;
}

sub say_line {
    my ($line) = @_;
    print {$stream} $json->encode($line), "\n" if $stream;
    return;
}

1;
