#!/usr/bin/perl
# Writes src/ext4/casefold-table.ts: what Unicode 12.1 has assigned, and where its full case folding differs from lower case.
use strict;
use warnings;
no warnings qw(surrogate nonchar non_unicode);
use feature qw(fc unicode_strings);
use open qw(:std :utf8);

my (@deltas, @folds);
my ($last, $inside) = (0, 0);
for my $code (0 .. 0x110000) {
  my $character = chr($code);
  my $assigned = $code < 0x110000 && !($code >= 0xd800 && $code <= 0xdfff) && $character =~ /\p{Present_In: 12.1}/ ? 1 : 0;
  if ($assigned != $inside) {
    push @deltas, $code - $last;
    ($last, $inside) = ($code, $assigned);
  }
  next unless $assigned;
  my $fold = fc($character);
  push @folds, [$code, map { ord } split //, $fold] if $fold ne lc($character);
}

sub base36 {
  my ($number) = @_;
  my $text = '';
  do { $text = (0 .. 9, 'a' .. 'z')[$number % 36] . $text; $number = int($number / 36) } while $number > 0;
  return $text;
}

# Neighbours that fold to neighbours are one item: first, how many more, target.
my @items;
for my $fold (@folds) {
  my ($code, @to) = @$fold;
  my $before = $items[-1];
  if ($before && @to == 1 && @{$before->{to}} == 1 && $before->{code} + $before->{count} == $code && $before->{to}[0] + $before->{count} == $to[0]) {
    $before->{count}++;
  } else {
    push @items, { code => $code, count => 1, to => \@to };
  }
}
my $at = 0;
my @texts;
for my $item (@items) {
  push @texts, join('.', base36($item->{code} - $at), base36($item->{count} - 1), map { base36($_) } @{$item->{to}});
  $at = $item->{code};
}

sub literal {
  my ($name, $docstring, @words) = @_;
  my (@lines, $line);
  $line = '';
  for my $word (@words) {
    if (length($line) + length($word) > 120) { push @lines, $line; $line = '' }
    $line .= "$word ";
  }
  $line =~ s/ $//;
  push @lines, $line;
  return "/** $docstring */\nexport const $name: string =\n" . join(" +\n", map { "  '$_'" } @lines) . ";\n";
}

print "/** Made by tools/make-casefold-table.pl from the Unicode Character Database; not to be edited. Numbers are in base 36. */\n\n";
print literal('ASSIGNED', 'Code points that Unicode 12.1 has assigned: lengths of runs, in turn not assigned and assigned.', map { base36($_) } @deltas);
print "\n";
print literal('FOLDS', 'Full case foldings that are not the lower case: `distance from the item before.neighbours.targets`.', @texts);
