using System.Runtime.InteropServices;
using Breakwater.Proxy.FunctionalTests.Faults;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.FunctionalTests.CommandLine;

/// <summary>The signals that administrators of squid and nginx, and logrotate, are used to send.</summary>
public sealed partial class SignalTests : IAsyncLifetime
{
    private const int HangUp = 1;
    private const int Quit = 3;
    private const int User1 = 10;
    private const int User2 = 12;
    private const int Pipe = 13;

    private readonly TemporaryDirectory _directory = new();
    private readonly ScriptedUpstream _upstream = ScriptedUpstream.Start();
    private SyntheticObject _item = null!;
    private ServeProcess _proxy = null!;

    private string Log => _directory.Combine("access.log");

    public async Task InitializeAsync()
    {
        _item = new SyntheticObject(1_000).On(_upstream);
        _proxy = await ServeProcess.StartAsync(_directory.Combine("store"), [_upstream], null, ("AccessLog:Path", Log));
        await AskAsync();
        await Waiting.UntilAsync(() => File.Exists(Log) && File.ReadAllLines(Log).Length == 1);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _upstream.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Signals_ThatMeanNoEnd_LeaveItServing()
    {
        foreach (int signal in (int[])[HangUp, User1, User2, Pipe, User1, User2])
        {
            Assert.Equal(0, Kill(_proxy.Id, signal));
            await AskAsync();
        }

        Assert.Equal(0, await _proxy.TerminateAsync());
    }

    // What a logger is made from must not be read by it before it was checked: the exception would end the process.
    [Fact]
    public async Task HangUp_WithALevelThatIsNone_IsRefusedAndLeavesItServing()
    {
        string settings = _directory.Combine("settings.json");
        await File.WriteAllTextAsync(settings, "{}");
        await using ServeProcess proxy = await ServeProcess.StartWithAsync(
            [], _directory.Combine("other"), [_upstream], ["--settings", settings],
            [("Proxy:Listen:0", "127.0.0.1:0"), ("Logging:LogLevel:Breakwater", "Information")]);
        await File.WriteAllTextAsync(settings, "{ \"Logging\": { \"LogLevel\": { \"Yarp.None\": \"Loud\" } } }");
        Assert.Equal(0, Kill(proxy.Id, HangUp));

        await Waiting.UntilAsync(() => proxy.HasExited || proxy.HasSaid("The changed settings are refused"));

        Assert.Equal(_item.Bytes, (await RawHttpClient.GetOnceAsync(proxy.EndPoint, _item.Url, [])).Body);
        Assert.Equal(0, await proxy.TerminateAsync());
    }

    [Theory]
    [InlineData(HangUp)]
    [InlineData(User1)]
    public async Task Logrotate_WithASignalAfterwards_TheNextLinesAreInTheNewFile(int signal)
    {
        File.Move(Log, Log + ".1");
        await File.WriteAllTextAsync(Log, "");
        Assert.Equal(0, Kill(_proxy.Id, signal));
        await AskAsync();

        await Waiting.UntilAsync(() => File.ReadAllLines(Log).Length == 1);
        Assert.Single(await File.ReadAllLinesAsync(Log + ".1"));
    }

    [Fact]
    public async Task Quit_EndsItInOrder()
    {
        Assert.Equal(0, Kill(_proxy.Id, Quit));

        Assert.Equal(0, await _proxy.ExitCodeAsync());
    }

    private async Task AskAsync() => Assert.Equal(_item.Bytes, (await RawHttpClient.GetOnceAsync(_proxy.EndPoint, _item.Url)).Body);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
