# What a program can do with files, one line for each thing: printed by CRuby over the kernel's mount and over the guest, both have to say the same.
# ROOT is put in front of every path. /usr is left out, where CRuby for WASI has files of its own, and FIFOs, for which WASI preview 1 has no name.
$lines = []
def try(name)
  result = begin
    yield
  rescue SystemCallError, IOError => e
    e.class.name
  end
  $lines << "#{name}: #{result.inspect}"
end
R = ROOT
T = "#{R}/tmp"
try('read') { File.read("#{R}/etc/hostname") }
try('write') { File.write("#{T}/a", 'hello'); File.read("#{T}/a") }
try('append') { File.open("#{T}/a", 'a') { |f| f.write(' world') }; File.read("#{T}/a") }
try('seek') { File.open("#{T}/a", 'r+') { |f| f.seek(2); f.write('LL'); f.seek(-3, IO::SEEK_END); f.read } }
try('pread') { File.open("#{T}/a") { |f| [f.pread(3, 1), f.pos, f.eof?] } }
try('pread at the end') { File.open("#{T}/a") { |f| f.pread(3, 100) } }
try('size') { File.size("#{T}/a") }
try('truncate') { File.open("#{T}/a", 'r+') { |f| f.truncate(4) }; File.read("#{T}/a") }
try('grow') { File.open("#{T}/a", 'r+') { |f| f.truncate(8) }; File.read("#{T}/a") }
try('gap') { File.open("#{T}/gap", 'w') { |f| f.seek(10); f.write('x') }; File.read("#{T}/gap") }
try('mkdir') { Dir.mkdir("#{T}/d"); File.directory?("#{T}/d") }
try('mkdir again') { Dir.mkdir("#{T}/d") }
try('mkdir below nothing') { Dir.mkdir("#{T}/none/d") }
try('rename') { File.rename("#{T}/a", "#{T}/d/b"); [File.exist?("#{T}/a"), File.read("#{T}/d/b")] }
try('rename nothing') { File.rename("#{T}/a", "#{T}/d/x") }
try('link') { File.link("#{T}/d/b", "#{T}/d/c"); File.stat("#{T}/d/c").nlink }
try('link again') { File.link("#{T}/d/b", "#{T}/d/c") }
try('symlink') { File.symlink('b', "#{T}/d/s"); [File.readlink("#{T}/d/s"), File.lstat("#{T}/d/s").symlink?, File.read("#{T}/d/s")] }
try('long symlink') { File.symlink('b/' * 100 + 'c', "#{T}/d/long"); File.readlink("#{T}/d/long").length }
try('readlink of a file') { File.readlink("#{T}/d/b") }
try('dangling') { File.symlink('none', "#{T}/d/n"); File.read("#{T}/d/n") }
try('dangling is made') { File.write("#{T}/d/n", 'now'); File.read("#{T}/d/none") }
try('loop') { File.symlink('l', "#{T}/d/l"); File.read("#{T}/d/l") }
try('children') { Dir.children("#{T}/d").sort }
try('utime') { File.utime(1000, 2000, "#{T}/d/b"); [File.atime("#{T}/d/b").to_i, File.mtime("#{T}/d/b").to_i] }
try('rmdir of what is full') { Dir.rmdir("#{T}/d") }
try('rmdir of a file') { Dir.rmdir("#{T}/d/b") }
try('unlink of a directory') { File.unlink("#{T}/d").class && File.directory?("#{T}/d") }
try('unlink while open') { f = File.open("#{T}/d/c"); File.unlink("#{T}/d/c"); File.unlink("#{T}/d/b"); x = [f.read, Dir.children("#{T}/d").sort]; f.close; x }
try('replaced while open') { File.write("#{T}/o", 'old'); File.write("#{T}/p", 'new'); f = File.open("#{T}/o"); File.rename("#{T}/p", "#{T}/o"); x = [f.read, File.read("#{T}/o")]; f.close; x }
try('missing') { File.read("#{R}/nothing") }
try('read a directory') { File.read("#{R}/etc") }
try('through a file') { File.read("#{R}/etc/hostname/x") }
try('exclusive') { File.open("#{R}/etc/hostname", File::WRONLY | File::CREAT | File::EXCL) }
try('write to what is open for reading') { File.open("#{R}/etc/hostname", 'r') { |f| f.write('x') } }
try('glob') { Dir.glob("#{R}/etc/s*").map { |n| n.delete_prefix(R) }.sort }
try('rename a directory') { Dir.mkdir("#{T}/e"); File.write("#{T}/e/f", '1'); File.rename("#{T}/e", "#{T}/g"); File.read("#{T}/g/f") }
try('rename onto a full directory') { Dir.mkdir("#{T}/h"); File.write("#{T}/h/x", '1'); File.rename("#{T}/g", "#{T}/h") }
try('rename into itself') { File.rename("#{T}/g", "#{T}/g/i") }
try('rename a file onto a directory') { File.write("#{T}/file", ''); File.rename("#{T}/file", "#{T}/h") }
try('dot dot') { File.read("#{R}/etc/../etc/hostname") }
try('names that are no UTF-8') { Dir.children("#{R}/home/demo/notes").map(&:b).sort }
try('such a file') { File.size("#{R}/home/demo/notes/caf\xE9".b) }
try('large') { s = 'x' * 3_000_000; File.write("#{T}/big", s); File.size("#{T}/big") == 3_000_000 && File.read("#{T}/big") == s }
try('many') { Dir.mkdir("#{T}/m"); 500.times { |i| File.write("#{T}/m/#{i}", i.to_s) }; Dir.children("#{T}/m").size }
try('remove many') { Dir.children("#{T}/m").each { |n| File.unlink("#{T}/m/#{n}") }; Dir.rmdir("#{T}/m"); File.exist?("#{T}/m") }
try('a long name') { File.write("#{T}/" + 'n' * 256, '') }
try('stat') { s = File.stat("#{R}/etc/passwd"); [s.size, s.file?, s.ino > 0, s.nlink, s.mtime.to_i] }
try('everything') { Dir.glob("#{R}/**/*", File::FNM_DOTMATCH).map { |n| s = File.lstat(n); [n.delete_prefix(R).b, s.ftype, s.file? || s.symlink? ? s.size : 0, s.nlink] }.reject { |n, t| n.end_with?('/tmp') || n == '' || n == '/.' || n.start_with?('/usr') || %w[fifo unknown].include?(t) }.sort }
$lines.join("\n") + "\n"
