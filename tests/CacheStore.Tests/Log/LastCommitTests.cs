using Breakwater.CacheStore.Log;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging;

namespace Breakwater.CacheStore.Tests.Log;

/// <summary>A log closes, whatever its disk does.</summary>
public sealed class LastCommitTests
{
    private readonly LogLines _said = new();

    [Fact]
    public async Task Commit_ThatIsMade_IsNoNews()
    {
        bool isMade = false;

        await LastCommit.MakeAsync(
            () =>
            {
                isMade = true;
                return Task.CompletedTask;
            },
            "the heads' log", _said);

        Assert.True(isMade);
        Assert.Empty(_said.Levels);
    }

    [Fact]
    public async Task Disk_ThatRefusesWrites_IsSaid()
    {
        await LastCommit.MakeAsync(() => Task.FromException(new OperationCanceledException()), "the heads' log", _said);

        Assert.Equal([LogLevel.Warning], _said.Levels);
    }

    [Fact]
    public async Task Commit_ThatFails_IsSaidAndEndsNothingElse()
    {
        await LastCommit.MakeAsync(() => Task.FromException(new IOException("an I/O error")), "the heads' log", _said);

        Assert.Equal([LogLevel.Error], _said.Levels);
    }
}
