using Breakwater.Proxy.Guessing;
using CsCheck;

namespace Breakwater.Proxy.Tests.Guessing;

public sealed class ShellWordsTests
{
    [Theory]
    [InlineData("ls -l /etc", "ls")]
    [InlineData("ls\ngrep a b\n", "ls grep")]
    [InlineData("ls | sort && uniq || wc; tail & head", "ls sort uniq wc tail head")]
    [InlineData("/usr/bin/id -u", "/usr/bin/id")]
    [InlineData("ls; ls", "ls")]
    [InlineData("LC_ALL=C TMP=\"$x\" sort", "sort")]
    [InlineData("if grep -q a b; then sed x; elif test -x y; then awk; else tr; fi", "grep sed awk tr")]
    [InlineData("while ! pgrep x; do sleep 1; done", "pgrep sleep")]
    [InlineData("for file in a b; do stat $file; done", "stat")]
    [InlineData("exec nohup env nice run", "nice")]
    [InlineData("echo hello; cd /; exit 0; kill 1", "")]
    [InlineData("# ls\nid # grep", "id")]
    [InlineData("x=$(uname -r) y=`hostname`", "uname hostname")]
    [InlineData("cp $(which app) there", "cp which")]
    [InlineData("(cd x; make)", "make")]
    [InlineData("(make)", "make")]
    [InlineData("{ date; } > log", "date")]
    [InlineData("echo 'ls; rm' \"a; rm\" \\; rm", "")]
    [InlineData("\"$command\" ls", "")]
    [InlineData("$run ls", "")]
    [InlineData("awk '\n{ rm }\n' | wc", "awk wc")]
    [InlineData("tar \\\n xf", "tar")]
    [InlineData("> log ls", "ls")]
    [InlineData("ls > log 2>&1 more", "ls")]
    [InlineData("cat <<EOF | sort\nrm\n EOF\nEOF\nid", "cat sort id")]
    [InlineData("cat <<-'EOF'\nrm\n\tEOF\nid", "cat id")]
    [InlineData("cat <<EOF\nrm", "cat")]
    [InlineData("cat <<< text\nid", "cat id")]
    [InlineData("run() {\n  rm\n}\nid", "id")]
    [InlineData("run () {\n  rm\n}\nid", "id")]
    [InlineData("run() { rm; }\nid", "id")]
    [InlineData("run()\n{\n  rm\n}\nid", "id")]
    [InlineData("if true; then\n  run() {\n    rm\n  }\n  id\nfi\nps", "id ps")]
    [InlineData("function run {\n  rm\n}\nid", "id")]
    [InlineData("function run() {\n  rm\n}\nid", "id")]
    [InlineData("run() {\n  echo ${x}\n  rm\n}\nid", "id")]
    [InlineData("run() {\nrm", "")]
    [InlineData("(( n << 2 ))\nid", "id")]
    [InlineData("\\rm x", "")]
    [InlineData("case $1 in\n  start) daemon ;;\n  stop)\n    pkill x ;;\nesac", "daemon pkill")]
    [InlineData("[ -x /bin/x ] || id", "id")]
    [InlineData("[[ a = b ]] && id", "id")]
    [InlineData("n=$((1 + 2)) id ${x:-ls}", "id")]
    [InlineData("a*b; ../x; x/y", "")]
    [InlineData("id\\", "")]
    [InlineData("echo \"", "")]
    [InlineData("echo '", "")]
    [InlineData("", "")]
    public void Of_AScript_AreTheCommandsThatItCalls(string script, string commands) =>
        Assert.Equal(commands.Split(' ', StringSplitOptions.RemoveEmptyEntries), ShellWords.Of(script));

    [Theory]
    [InlineData(200, 1)]
    [InlineData(201, 0)]
    public void Of_TheLongestCommand_Is200Characters(int length, int commands) =>
        Assert.Equal(commands, ShellWords.Of(new string('c', length)).Count);

    [Fact]
    public void Of_MoreThanAreRead_AreCutOff() =>
        Assert.Equal(
            Enumerable.Range(0, 64).Select(i => $"c{i}"),
            ShellWords.Of(string.Join('\n', Enumerable.Range(0, 70).Select(i => $"c{i}"))));

    /// <summary>The text is the publisher's: whatever it is, it ends, and gives a bounded number of names.</summary>
    [Fact]
    public void Of_AnyText_IsReadInBounds()
    {
        string[] parts =
        [
            "'", "\"", "\\", "$(", "$((", "${", "}", ")", "(", "<<", "<", ">", "|", ";", "`", "#", "\n", " ", "ls", "x=", "f()", "{", "))",
            "&",
        ];
        Gen.Int[0, parts.Length - 1].Array[0, 40].Sample(some =>
        {
            List<string> words = ShellWords.Of(string.Concat(some.Select(part => parts[part])));
            Assert.InRange(words.Count, 0, 64);
            Assert.All(words, word => Assert.False(string.IsNullOrWhiteSpace(word)));
        }, iter: 20_000);
    }
}
