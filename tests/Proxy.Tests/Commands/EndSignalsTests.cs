using System.CommandLine;
using Breakwater.Proxy.Commands;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Commands;

public sealed class EndSignalsTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Command_ThatHearsNothing_IsLeftBehindAfterItsPatience()
    {
        var time = new FakeTimeProvider();
        using var signals = new EndSignals();
        Task<int> ended = signals.ExitCodeAsync(new TaskCompletionSource<int>().Task, s_patience, time);
        Assert.False(signals.Told.IsCancellationRequested);

        signals.Tell(143);

        Assert.True(signals.Told.IsCancellationRequested);
        while (!ended.IsCompleted)
        {
            time.Advance(s_patience); // until it has begun to measure
            await Task.Yield();
        }

        Assert.Equal(143, await ended.InTimeAsync());
    }

    /// <summary>The longest drain that the settings allow, and a minute; systemd kills what takes longer than its unit says.</summary>
    [Fact]
    public void Patience_WithTheProxy_IsThatOfItsDrainAndTenSecondsWithTheRest()
    {
        Assert.Equal(TimeSpan.FromMinutes(10 + 1), EndSignals.PatienceWith(ServeCommand.Create()));
        Assert.Equal(TimeSpan.FromMinutes(10 + 1), EndSignals.PatienceWith(new RootCommand()));
        Assert.Equal(s_patience, EndSignals.PatienceWith(WarmCommand.Create()));
    }

    [Fact]
    public async Task Command_ThatEnds_GivesItsOwnCodeWithAndWithoutASignal()
    {
        using var signals = new EndSignals();
        Assert.Equal(7, await signals.ExitCodeAsync(Task.FromResult(7), s_patience, TimeProvider.System).InTimeAsync());

        signals.Tell(130);
        signals.Tell(143);

        Assert.Equal(0, await signals.ExitCodeAsync(Task.FromResult(0), s_patience, TimeProvider.System).InTimeAsync());
    }
}
