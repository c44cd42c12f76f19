using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>What a shell makes of a client's configuration, as far as it is understood.</summary>
public sealed class ClientScriptTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("A=1", "A=1")]
    [InlineData("A=", "A=")]
    [InlineData("A=1;B=2\nC=3\r\nD=4", "A=1 B=2 C=3 D=4")]
    [InlineData("\n\n;; A=1 ;\n", "A=1")]
    [InlineData("export A=1\nreadonly B=2\nexport  readonly C=3", "A=1 B=2 C=3")]
    [InlineData("A=1 B=2", "A=1")] // the rest is not understood
    [InlineData("A=x\\\nB=2", "A=x")] // one line
    [InlineData("=1", "")]
    [InlineData("-A=1", "")]
    [InlineData("A.b=1", "")]
    [InlineData("a_B9=1", "a_B9=1")]
    [InlineData("echo A=1", "")]
    public void Run_Assignments_AreTakenOver(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Theory]
    [InlineData("#A=1\nB=2", "B=2")]
    [InlineData("A=1 # B=2\nC=3", "A=1 C=3")]
    [InlineData("A=1;#B=2;C=3\nD=4", "A=1 D=4")]
    [InlineData("A=x#y", "A=x#y")]
    [InlineData("A='# x'\nB=\" # y\"", "A=# x B= # y")]
    [InlineData("A=1 # to the end", "A=1")]
    [InlineData("A=1 # it's; over\nB='2'", "A=1 B=2")]
    public void Run_Comments_ArePassedOver(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Theory]
    [InlineData("A=\"x;y\"", "A=x;y")]
    [InlineData("A='x;\"y'\nB=1", "A=x;\"y B=1")]
    [InlineData("A=\"it's; ok\"\nB=1", "A=it's; ok B=1")]
    [InlineData("A=\"x\ny\"\nB=1", "A=x\ny B=1")]
    [InlineData("A=\"a b\"'c d'e", "A=a bc de")]
    [InlineData("A=\"\"\nB=''", "A= B=")]
    [InlineData("A=a\\ b", "A=a b")]
    [InlineData("A='a\\b'", "A=a\\b")]
    [InlineData("A=\"a\\\"b\"", "A=a\"b")]
    [InlineData("A=\\$B", "A=$B")]
    [InlineData("A=a\\", "A=a\\")]
    [InlineData("A=\"x && y || z\"\nB='x && y'", "A=x && y || z B=x && y")]
    [InlineData("A=\"open", "A=open")]
    public void Run_Quotes_HoldTogetherAndAreTakenOff(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Theory]
    [InlineData("X=1\nA=$X.y", "A=1.y X=1")]
    [InlineData("X_9=1\nA=a$X_9-b", "A=a1-b X_9=1")]
    [InlineData("X=1\nA=\"${X}2\"", "A=12 X=1")]
    [InlineData("X=1\nA='$X'", "A=$X X=1")]
    [InlineData("A=x$X", "A=x")]
    [InlineData("A=${X}y", "A=y")]
    [InlineData("A=${X:-d}y", "A=dy")]
    [InlineData("X=\nA=${X:-d}y", "A=dy X=")]
    [InlineData("X=1\nA=${X:-d}y", "A=1y X=1")]
    [InlineData("A=${X:-}y", "A=y")]
    [InlineData("A=${:-d}", "A=d")]
    [InlineData("A=a$", "A=a$")]
    [InlineData("A=$-b", "A=$-b")]
    [InlineData("A=a$(date)b", "A=ab")]
    [InlineData("A=a$(date)", "A=a")]
    [InlineData("A=a$((1+2))b", "A=ab")]
    [InlineData("A=a$((1+2))", "A=a")]
    [InlineData("A=a$(date", "A=a")]
    [InlineData("X=1\nA=${X", "A= X=1")]
    [InlineData("X=1\nA=b$X$X", "A=b11 X=1")]
    public void Run_Variables_ArePutInAndNothingIsRun(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Theory]
    [InlineData("true && A=1", "A=1")]
    [InlineData(": && A=1", "A=1")]
    [InlineData("curl x && A=1", "")]
    [InlineData("curl x || A=1", "A=1")]
    [InlineData("true || A=1", "")]
    [InlineData("A=1 && B=2 && C=3", "A=1 B=2 C=3")]
    [InlineData("false && A=1 || B=2", "B=2")]
    [InlineData("true && A=1 || B=2", "A=1")]
    [InlineData("true || A=1 && B=2", "B=2")]
    [InlineData("false || A=1 && B=2", "A=1 B=2")]
    [InlineData("! false && A=1", "A=1")]
    [InlineData("! true || A=1", "A=1")]
    [InlineData("! ! false || A=1", "A=1")]
    [InlineData("|| A=1", "")]
    [InlineData("A=1&&B=2", "A=1 B=2")]
    [InlineData("A=1&", "A=1&")]
    [InlineData("A=x|y", "A=x|y")]
    [InlineData("A=1 &&& B=2", "A=1")]
    public void Run_JoinedCommands_RunAsTheirResultsSay(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Theory]
    [InlineData("[ -z \"\" ]", true)]
    [InlineData("[ -z x ]", false)]
    [InlineData("[ -n x ]", true)]
    [InlineData("[ -n \"\" ]", false)]
    [InlineData("[ x ]", true)]
    [InlineData("[ \"\" ]", false)]
    [InlineData("[ \"\" = '' ]", true)]
    [InlineData("[   a  =\ta ]", true)]
    [InlineData("[ a = b ]", false)]
    [InlineData("[[ a == a ]]", true)]
    [InlineData("[ 1 -eq 1 ]", true)]
    [InlineData("[ 1 -eq 2 ]", false)]
    [InlineData("[ a != b ]", true)]
    [InlineData("[ a != a ]", false)]
    [InlineData("[ 1 -ne 1 ]", false)]
    [InlineData("[ ! a = b ]", true)]
    [InlineData("[ ! a ]", false)]
    [InlineData("[ a b ]", false)]
    [InlineData("[ ]", false)]
    [InlineData("[ a = a", false)]
    [InlineData("[ -f script.conf ]", false)] // relative to nobody knows what
    [InlineData("[ -f $HERE/script.conf ]", true)]
    [InlineData("[ -e $HERE/script.conf ]", true)]
    [InlineData("[ -r $HERE/script.conf ]", true)]
    [InlineData("[ -d $HERE/script.conf ]", false)]
    [InlineData("[ -d $HERE ]", true)]
    [InlineData("[ -f $HERE ]", false)]
    [InlineData("[ -f $HERE/none ]", false)]
    public void Run_ATestInBrackets_HoldsOrNot(string test, bool holds)
    {
        Assert.Equal(holds ? "A=yes" : "A=no", Variables($"if {test}; then A=yes; else A=no; fi"));
        Assert.Equal(holds ? "A=yes" : "", Variables($"{test} && A=yes"));
    }

    [Theory]
    [InlineData("if true; then A=1; fi; B=2", "A=1 B=2")]
    [InlineData("if true\nthen\nA=1\nelse\nB=1\nfi\nC=1", "A=1 C=1")]
    [InlineData("if false; then A=1; else B=1; fi\nC=1", "B=1 C=1")]
    [InlineData("if true; then A=1; elif B=1; then C=1; else D=1; fi", "A=1")]
    [InlineData("if false; then A=1; elif B=1; then C=1; else D=1; fi", "B=1 C=1")]
    [InlineData("if false; then A=1; elif false; then C=1; elif true; then E=1; else D=1; fi", "E=1")]
    [InlineData("if false; then if A=1; then B=1; fi; C=1; fi; D=1", "D=1")]
    [InlineData("if false; then if false; then X=1; elif A=1; then B=1; else C=1; fi; fi; D=1", "D=1")]
    [InlineData("if true; then if false; then A=1; else B=1; fi; C=1; fi", "B=1 C=1")]
    [InlineData("if true; then if true; then A=1; fi; fi", "A=1")]
    [InlineData("if false; then A=1; else if true; then B=1; fi; fi", "B=1")]
    [InlineData("fi; A=1", "A=1")]
    [InlineData("else A=1", "A=1")]
    public void Run_Branches_RunOne(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Theory]
    [InlineData("for a in b; do\nA=1\nfor c in d; do\nB=1\ndone\nC=1\ndone\nD=1", "D=1")]
    [InlineData("while true; do A=1; done; D=1", "D=1")]
    [InlineData("until false; do A=1; done; D=1", "D=1")]
    [InlineData("case x in\nx) A=1;;\nesac\nD=1", "D=1")]
    public void Run_Loops_ArePassedOver(string script, string expected) => Assert.Equal(expected, Variables(script));

    [Fact]
    public void Run_IncludedFiles_AreReadFromBesideTheFileAndCountAsDone()
    {
        Directory.CreateDirectory(_directory.Combine("sub"));
        File.WriteAllText(_directory.Combine("sub", "one.conf"), "B=$A\n. ./two.conf");
        File.WriteAllText(_directory.Combine("sub", "two.conf"), "C=3");

        Assert.Equal("A=1 B=1 C=3 D=4 E=5", Variables("A=1\n. sub/one.conf && D=4\nsource sub/none.conf && E=5"));
    }

    [Fact]
    public void Run_AFileThatIncludesItself_EndsAfterEightLevels() =>
        Assert.Equal("A=" + new string('x', 9), Variables("A=${A}x\n. script.conf"));

    [Theory]
    [InlineData(0, "A=1")]
    [InlineData(1, "")]
    public void Run_LongestFile_IsOneMebibyte(int more, string expected) =>
        Assert.Equal(expected, Variables("A=1\n#".PadRight((1 << 20) + more, '.')));

    private string Variables(string script)
    {
        string file = _directory.Combine("script.conf");
        File.WriteAllText(file, script);
        Dictionary<string, string> variables = new(StringComparer.Ordinal) { ["HERE"] = _directory.Path };
        new ClientScript(variables).Run(file);
        variables.Remove("HERE");
        return string.Join(' ', variables.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key}={one.Value}"));
    }
}
