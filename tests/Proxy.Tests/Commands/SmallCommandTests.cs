using System.CommandLine;
using System.Text.Json;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>Commands that look at files and settings alone.</summary>
public sealed class SmallCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly string _settings;

    public SmallCommandTests()
    {
        _settings = _directory.Combine("settings.json");
        Write(new { Store = new { Path = _directory.Combine("store") }, Proxy = new { Listen = (string[])["10.0.0.5:3128"] } });
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task SettingsCheck_OfARightFile_SaysSoAndWhatWasRead()
    {
        CommandRun text = await CommandRun.OfAsync(SettingsCommand.Create(), "check", _settings);
        CommandRun json = await CommandRun.OfAsync(SettingsCommand.Create(), "check", _settings, "--json");

        Assert.Equal((0, 0, ""), (text.ExitCode, json.ExitCode, text.Error + json.Error));
        string[] lines = text.Output.TrimEnd('\n').Split('\n');
        Assert.Matches($@"^The settings are right: \d+ repository patterns, store at {_directory.Combine("store")}\.$", lines[0]);
        Assert.EndsWith($"{_settings}, and the environment.", lines[1], StringComparison.Ordinal);
        JsonElement said = JsonElement.Parse(json.Output);
        Assert.True(said.GetProperty("isRight").GetBoolean());
        Assert.Equal(0, said.GetProperty("mistakes").GetArrayLength());
        Assert.Equal(_settings, said.GetProperty("files").EnumerateArray().Last().GetString());
    }

    [Fact]
    public async Task SettingsCheck_OfAWrongFile_EndsAsServeWould()
    {
        Write(new { Proxy = new { Listen = (string[])["nowhere"] } });

        CommandRun text = await CommandRun.OfAsync(SettingsCommand.Create(), "check", _settings);
        CommandRun json = await CommandRun.OfAsync(SettingsCommand.Create(), "check", "--settings", _settings, "--json");

        Assert.Equal((78, 78, "", ""), (text.ExitCode, json.ExitCode, text.Output, json.Error));
        Assert.Contains("Proxy:Listen", text.Error, StringComparison.Ordinal);
        JsonElement said = JsonElement.Parse(json.Output);
        Assert.False(said.GetProperty("isRight").GetBoolean());
        Assert.Contains("Proxy:Listen", said.GetProperty("mistakes")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SettingsShow_ForPeopleAndPrograms_HasEachSettingWithItsPlace()
    {
        string[] lines = (await CommandRun.OfAsync(SettingsCommand.Create(), "show", "--settings", _settings)).Output.Split('\n');
        JsonElement json =
            JsonElement.Parse((await CommandRun.OfAsync(SettingsCommand.Create(), "show", "--json", "--settings", _settings)).Output);

        Assert.Contains(lines, line => line.StartsWith($"Store:Path = \"{_directory.Combine("store")}\"  # {_settings}, line ",
            StringComparison.Ordinal));
        Assert.Equal(json.GetArrayLength(), lines.Count(line => line.Contains("  # ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task SocketUnit_PrintedWrittenAndWrittenAgain_SaysWhatItDid()
    {
        string units = _directory.Combine("units");
        CommandRun printed = await CommandRun.OfAsync(SocketUnitCommand.Create(), "--settings", _settings);
        CommandRun written = await CommandRun.OfAsync(SocketUnitCommand.Create(), "--write", "--directory", units, "--settings", _settings);
        CommandRun again = await CommandRun.OfAsync(SocketUnitCommand.Create(), "--write", "--directory", units, "--settings", _settings);
        CommandRun refused =
            await CommandRun.OfAsync(SocketUnitCommand.Create(), "--write", "--directory", _settings, "--settings", _settings);

        string path = Path.Combine(units, "breakwater.socket.d", "listen.conf");
        Assert.Contains("ListenStream=10.0.0.5:3128", printed.Output, StringComparison.Ordinal);
        Assert.Equal(($"written: {path}\n", $"unchanged: {path}\n"), (written.Output, again.Output));
        Assert.Equal(printed.Output, File.ReadAllText(path));
        Assert.Equal((0, 0, 0, 73), (printed.ExitCode, written.ExitCode, again.ExitCode, refused.ExitCode));
        Assert.StartsWith("The socket unit cannot be written: ", refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, ";DIRECT", "# ';DIRECT' is a way past this proxy.")]
    [InlineData(false, true, "", "# Nothing falls back to DIRECT: list every proxy")]
    [InlineData(true, false, "", "# Proxy:Offline: there is no way past this proxy")]
    [InlineData(true, true, "", "# Nothing falls back to DIRECT: list every proxy")]
    public void Context_OfASite_FallsBackWhereThereIsAWayOut(bool isOffline, bool noDirect, string direct, string advice)
    {
        BreakwaterSettings settings = SettingsFile.Read(new FileInfo(_settings)).Settings;
        settings.Proxy.Offline = isOffline;
        settings.ZeroTouch.Proxies = ["p1.example.org:3128", "p2.example.org:3129"];

        string text = ContextCommand.Text(settings, [], noDirect);

        Assert.StartsWith(advice, text, StringComparison.Ordinal);
        Assert.Contains($"cvmfs_http_proxy=http://p1.example.org:3128|http://p2.example.org:3129{direct}\n", text,
            StringComparison.Ordinal);
        Assert.Contains($"CVMFS_HTTP_PROXY=\"auto{direct}\"", text, StringComparison.Ordinal);
        Assert.Contains($"#    group 2\nCVMFS_HTTP_PROXY=\"http://p2.example.org:3129;http://p1.example.org:3128{direct}\"\n", text,
            StringComparison.Ordinal);
        Assert.Contains("# 4. 2 proxies:", text, StringComparison.Ordinal);
        Assert.DoesNotContain("# 4.", ContextCommand.Text(settings, ["p1.example.org:3128"], noDirect), StringComparison.Ordinal);
        settings.ZeroTouch.Proxies = [];
        Assert.Matches(@"cvmfs_http_proxy=http://[^:|]+:3128(;DIRECT)?\n", ContextCommand.Text(settings, [], noDirect));
    }

    [Fact]
    public async Task Context_AsJson_HasTheSameListsAsTheText()
    {
        CommandRun one = await CommandRun.OfAsync(ContextCommand.Create(), "--proxy", "a:1", "--json", "--settings", _settings);
        CommandRun two =
            await CommandRun.OfAsync(ContextCommand.Create(), "--proxy", "a:1", "--proxy", "b:2", "--json", "--settings", _settings);

        Assert.Equal("""{"proxies":["a:1"],"httpProxy":"http://a:1;DIRECT","pacUrls":"http://a:1/proxy.pac","groups":[]}""",
            one.Output.TrimEnd());
        Assert.Equal(
            """{"httpProxy":"http://b:2;http://a:1;DIRECT","pacUrls":"http://b:2/proxy.pac;http://a:1/proxy.pac"}""",
            JsonElement.Parse(two.Output).GetProperty("groups")[1].GetRawText());
    }

    [Theory]
    [InlineData("bash", "_breakwater() {", "complete -o default -F _breakwater breakwater\n")]
    [InlineData("zsh", "#compdef breakwater", "compdef _breakwater breakwater\n")]
    [InlineData("fish", "complete -c breakwater", "2>/dev/null)'\n")]
    public async Task Completion_OfAShell_IsItsScript(string shell, string begin, string end)
    {
        CommandRun run = await CommandRun.OfAsync(CompletionCommand.Create(), shell);

        Assert.Equal(0, run.ExitCode);
        Assert.StartsWith(begin, run.Output, StringComparison.Ordinal);
        Assert.EndsWith(end, run.Output, StringComparison.Ordinal);
        Assert.Equal(64, (await CommandRun.OfAsync(CompletionCommand.Create(), "csh")).ExitCode);
    }

    [Fact]
    public async Task Manual_OfTheCommands_HasAPageForEachThatNamesTheOthers()
    {
        var hidden = new Command("secret", "Nobody sees it.") { Hidden = true };
        var root = new RootCommand("It serves. And more.") { SettingsCommand.Create(), CompletionCommand.Create(), hidden };

        CommandRun run = await CommandRun.OfAsync(ManualCommand.Create(root), _directory.Combine("man"));

        Assert.Equal((0, "", ""), (run.ExitCode, run.Output, run.Error));
        Assert.Equal(["breakwater-completion.1", "breakwater-settings.1", "breakwater.1"],
            Directory.EnumerateFiles(_directory.Combine("man")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        string all = File.ReadAllText(_directory.Combine("man", "breakwater.1"));
        string one = File.ReadAllText(_directory.Combine("man", "breakwater-completion.1"));
        Assert.Contains(".SH NAME\nbreakwater \\- It serves\n.SH SYNOPSIS\n.B breakwater\nCOMMAND [OPTION]...\n", all,
            StringComparison.Ordinal);
        Assert.Contains(".SH COMMANDS\n.TP\n.B settings\n", all, StringComparison.Ordinal);
        Assert.EndsWith(".SH SEE ALSO\n.BR breakwater\\-settings (1) ,\n.BR breakwater\\-completion (1)\n", all, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", all, StringComparison.Ordinal);
        Assert.Contains(".B breakwater completion\nshell [OPTION]...\n", one, StringComparison.Ordinal);
        Assert.Contains(".SH ARGUMENTS\n.TP\n.I shell\nbash, zsh or fish\n", one, StringComparison.Ordinal);
        Assert.Contains(".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 64\nthe command line is wrong, "
            + "or names a settings file that is not there\n", one, StringComparison.Ordinal);
        Assert.EndsWith(".SH SEE ALSO\n.BR breakwater (1) ,\n.BR breakwater\\-settings (1)\n", one, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "--rtt", "0")]
    [InlineData(0, "--rtt", "1000")]
    [InlineData(1, "--rtt", "1001")]
    [InlineData(0, "--vms", "1")]
    [InlineData(1, "--vms", "0")]
    public void DemoOptions_AtTheirLimits_AreTakenOrRefused(int errors, string option, string value) =>
        Assert.Equal(errors, DemoCommand.Create().Parse([option, value]).Errors.Count);

    [Fact]
    public void DemoVms_AsManyAsThereAreSocketsFor_AreTaken()
    {
        int most = FileDescriptors.MostVms();

        Assert.Empty(DemoCommand.Create().Parse(["--vms", $"{most}"]).Errors);
        Assert.Contains("ulimit -n", Assert.Single(DemoCommand.Create().Parse(["--vms", $"{most + 1}"]).Errors).Message,
            StringComparison.Ordinal);
        Assert.Equal(500 + (3 * 16), FileDescriptors.NeededBy(3));
        Assert.InRange(FileDescriptors.NeededBy(most), 516, FileDescriptors.Limit);
        Assert.True(FileDescriptors.NeededBy(most + 1) > FileDescriptors.Limit);
    }

    [Fact]
    public async Task DemoMachine_WithoutAnImage_SaysWhatIsMissingAndBootsNothing()
    {
        CommandRun run = await CommandRun.OfAsync(DemoCommand.Create(), "--vm", "--image", _directory.Path);

        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("The demo stopped: ", run.Output, StringComparison.Ordinal);
        Assert.Contains(_directory.Path, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GivenFile_AsLongAsItMayBe_IsReadAndNoLongerOne()
    {
        string path = _directory.Combine("list");
        using (FileStream file = File.Create(path))
        {
            file.SetLength(GivenFile.MaxBytes);
        }

        Assert.Equal(GivenFile.MaxBytes, (await GivenFile.ReadAsync(path, default)).Length);
        await File.AppendAllTextAsync(path, "x");

        IOException refused = await Assert.ThrowsAsync<IOException>(() => GivenFile.ReadAsync(path, default));
        Assert.Contains("has more than 64 MiB", refused.Message, StringComparison.Ordinal);
    }

    private void Write<T>(T settings) => File.WriteAllText(_settings, JsonSerializer.Serialize(settings));
}
