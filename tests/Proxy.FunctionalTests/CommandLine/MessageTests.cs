using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>What commands say when something is wrong, and how programs read them.</summary>
public sealed class MessageTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task SettingsCheck_BrokenFile_NamesItWithLineAndColumn()
    {
        string file = Write("my site.json", "{\n  \"Proxy\": {\n    \"Name\": \"a\"\n    \"Listen\": []\n  }\n}");

        CommandResult result = await RunAsync("settings", "check", file);

        Assert.Equal(78, result.ExitCode);
        Assert.Contains($"{file}, line 4, column 5", result.Error, StringComparison.Ordinal);
        AssertBrief(result);
    }

    [Fact]
    public async Task SettingsCheck_EnvironmentAndFileAreWrong_NamesBothPlaces()
    {
        string file = Write("a.json", """{ "Access": { "Clients": [ "10.0.0.5/8" ] } }""");

        CommandResult result =
            await RunAsync(["settings", "check", file, "--json"], ("Proxy__ConnectTimeout", "soon"), ("Acess__Clients__0", "x"));

        Assert.Equal(78, result.ExitCode);
        JsonElement json = JsonElement.Parse(result.Output);
        Assert.False(json.GetProperty("isRight").GetBoolean());
        Assert.Equal(
            [$"{file}:1", "environment variable Acess", "environment variable Proxy__ConnectTimeout"],
            json.GetProperty("mistakes").EnumerateArray().SelectMany(m => m.GetProperty("places").EnumerateArray())
                .Select(p => p.GetProperty("source").GetString() + (p.GetProperty("line").GetInt32() is > 0 and var line ? $":{line}" : ""))
                .Order(StringComparer.Ordinal));
        Assert.Equal("", result.Error);
    }

    [Fact]
    public async Task SettingsShow_EachValue_HasItsPlaceAndNoSecretIsShown()
    {
        string file = Write("a.json", """
            {
              "Access": { "Users": { "bob": "s3cret-a" } },
              "Snmp": { "Listen": "127.0.0.1:3401", "Community": "s3cret-b" },
              "ReverseProxy": { "Clusters": { "egi": { "HttpClient": { "WebProxy": { "Address": "http://me:s3cret-c@proxy:3128" } } } } }
            }
            """);

        CommandResult result = await RunAsync(["settings", "show", "--settings", file], ("Proxy__Name", "from-the-environment"));

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("s3cret", result.Output, StringComparison.Ordinal);
        string[] lines = result.Output.Split('\n');
        Assert.Contains("Proxy:Name = \"from-the-environment\"  # environment variable Proxy__Name", lines);
        Assert.Contains($"Snmp:Listen = \"127.0.0.1:3401\"  # {file}, line 3, column 13", lines);
        Assert.Contains($"Access:Users:bob = \"(hidden)\"  # {file}, line 2, column 26", lines);
        Assert.Contains("Proxy:AnswerTimeout = \"00:00:03.7500000\"  # default", lines);
        Assert.Contains("Repositories:*.egi.eu:Cluster = \"egi\"  # preset egi", lines);
    }

    // 21: a mistake on the command line printed the whole usage.
    [Theory]
    [InlineData("warm")]
    [InlineData("status", "--jsn")]
    [InlineData("seed", "export", "x")]
    [InlineData("nosuch")]
    [InlineData("serve", "--port", "1")]
    [InlineData("settings", "check", "/no/such/file")]
    public async Task CommandLine_AMistake_IsTwoLines(params string[] arguments)
    {
        CommandResult result = await RunAsync(arguments);

        Assert.Equal(64, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.DoesNotContain("Usage:", result.Error, StringComparison.Ordinal);
        Assert.Contains("--help' says what there is", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "78 ")]
    [InlineData("serve", "73 ")]
    [InlineData("doctor", "1    something cannot work so")]
    [InlineData("status", "69 ")]
    [InlineData("seed import", "65 ")]
    [InlineData("store verify", "1    an object is damaged")]
    public async Task Help_OfACommand_ListsItsExitCodes(string command, string code)
    {
        CommandResult result = await RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("  " + code, result.Output[result.Output.IndexOf("Exit codes:", StringComparison.Ordinal)..],
            StringComparison.Ordinal);
    }

    // 12: 3 KB of stack trace, and a sentence that named no setting.
    [Theory]
    [InlineData("Proxy__Listen__0")]
    [InlineData("Admin__Listen")]
    [InlineData("ZeroTouch__Listen")]
    public async Task Serve_PortInUse_NamesItsSetting(string setting)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        CommandResult result = await RunAsync(
            ["serve"], ("Proxy__Listen__0", "127.0.0.1:0"), ("Admin__Listen", "127.0.0.1:0"), ("Store__Path", _directory.Combine("store")),
            ("Proxy__Offline", "true"), (setting, taken.LocalEndpoint.ToString()!));

        Assert.Equal(73, result.ExitCode);
        Assert.Contains($"({setting.Split("__")[0]}:Listen)", result.Error, StringComparison.Ordinal);
        AssertBrief(result);
    }

    // 15: wrapped at 80 columns in the middle of words.
    [Fact]
    public async Task Doctor_OutputIsAPipe_ALineACheck()
    {
        (string, string)[] settings = [("Store__Path", _directory.Combine("store")), ("Proxy__Offline", "true")];
        CommandResult text = await RunAsync(["doctor"], settings);
        CommandResult json = await RunAsync(["doctor", "--json"], settings);

        JsonElement[] checks = [.. JsonElement.Parse(json.Output).EnumerateArray()];
        Assert.Equal(checks.Length, text.Output.TrimEnd('\n').Split('\n').Length);
        Assert.All(checks, check => Assert.Contains($" {check.GetProperty("name").GetString()} ", text.Output, StringComparison.Ordinal));
        Assert.Contains(checks, check => check.GetProperty("name").GetString() == "running"
            && check.GetProperty("level").GetString() == "warning");
    }

    // 15: no --json for doctor, profile, warm. What each command can do is in its manual page.
    [Fact]
    public async Task Commands_ThatPrintFacts_HaveJson()
    {
        string[] commands =
        [
            "status", "doctor", "context", "warm", "demo", "pin list", "profile list", "profile show", "seed list",
            "store ls", "store stats", "store verify", "settings check", "settings show", "cluster status", "publish list", "publish check",
        ];
        Assert.Equal(0, (await RunAsync("manual", _directory.Combine("man"))).ExitCode);

        string[] without = [.. commands.Where(command => !HasJson(command))];

        Assert.Empty(without);

        bool HasJson(string command)
        {
            string[] words = command.Split(' ');
            string page = File.ReadAllText(_directory.Combine("man", $"breakwater-{words[0]}.1"))
                .Replace("\\-", "-", StringComparison.Ordinal);
            int begin = words.Length == 1 ? 0 : page.IndexOf($".SH BREAKWATER {command.ToUpperInvariant()}\n", StringComparison.Ordinal);
            int end = begin < 0 ? 0 : page.IndexOf("\n.SH BREAKWATER ", begin + 1, StringComparison.Ordinal);
            return begin >= 0 && page[begin..(end < 0 ? page.Length : end)].Contains("--json", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Doctor_PresetsThatNobodyAskedFor_AreNoWorry()
    {
        CommandResult result = await RunAsync(["doctor", "--json"], ("Store__Path", _directory.Combine("store")));

        Assert.DoesNotContain("Stratum 1 ", result.Output, StringComparison.Ordinal);
        Assert.Contains("no client has asked for egi, osg, stratum1 yet", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ProfileImport_OfNoFile_IsASentence()
    {
        CommandResult result = await RunAsync("profile", "import", "x.example.org", "n", "/no/such/file");

        Assert.NotEqual(0, result.ExitCode);
        AssertBrief(result);
    }

    private static void AssertBrief(CommandResult result)
    {
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("xception", result.Error, StringComparison.Ordinal);
    }

    private string Write(string name, string text)
    {
        string path = _directory.Combine(name);
        File.WriteAllText(path, text);
        return path;
    }

    private static Task<CommandResult> RunAsync(params string[] arguments) => RunAsync(arguments, []);

    private static Task<CommandResult> RunAsync(IEnumerable<string> arguments, params IEnumerable<(string Name, string Value)> settings) =>
        BreakwaterCommand.RunAsync(settings.GroupBy(s => s.Name).ToDictionary(s => s.Key, s => s.Last().Value), arguments);
}
