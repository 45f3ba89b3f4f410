# Takes qemu's locks on the images of writable drives, then becomes the program that it is given: perl lock-images.pl PROGRAM WORDS...
#
# qemu locks single bytes of an image through open file descriptions, all of them shared: 100+N "I do N", 200+N "nobody else may do N", where N is
# 0 read consistently, 1 write, 3 resize (block/file-posix.c); who would get in the way of the other asks whether the other's byte is locked.
use strict;
use warnings;

my ($F_OFD_GETLK, $F_OFD_SETLK, $F_RDLCK, $F_WRLCK, $F_UNLCK) = (36, 37, 0, 1, 2);
my @DO = (100, 101, 103);
my @FORBID = (201, 203);
my @OTHERS_DO = (101, 103);
my @OTHERS_FORBID = (200, 201, 203);
# Where struct flock is as on all 64-bit Linux systems.
my $LAYOUT = 's s x4 q q l x4';

# What is opened here stays open in the program that follows.
$^F = 1 << 20;
my @open;
for my $i (0 .. $#ARGV - 1) {
  next if $ARGV[$i] ne '-drive';
  my $options = $ARGV[$i + 1];
  next if $options =~ /(?:^|,)(?:cache=unsafe|id=appliance)(?:,|$)/ || $options !~ /^file=((?:[^,]|,,)*)/;
  my $name = $1;
  $name =~ s/,,/,/g;
  next if $name =~ m{^(?:nbd:|https?:|[a-z]+://)};
  # A drive that cannot be opened is told of by the program itself.
  open(my $file, '+<', $name) or next;
  push @open, $file;
  for my $byte (@DO, @FORBID) {
    last if !fcntl($file, $F_OFD_SETLK, pack($LAYOUT, $F_RDLCK, 0, $byte, 1, 0));
  }
  for my $byte (@OTHERS_DO, @OTHERS_FORBID) {
    my $lock = pack($LAYOUT, $F_WRLCK, 0, $byte, 1, 0);
    next if !fcntl($file, $F_OFD_GETLK, $lock);
    my ($type) = unpack($LAYOUT, $lock);
    next if $type == $F_UNLCK;
    print STDERR "guestless-appliance: $name is in use by another program (qemu's lock on byte $byte is held); nothing was opened\n";
    exit 1;
  }
}
$ENV{GUESTLESS_LOCKED} = '1' if @open;
exec @ARGV or die "guestless-appliance: $ARGV[0]: $!\n";
