using System.CommandLine;
using System.Runtime.InteropServices;

namespace Breakwater.Proxy.Commands;

/// <summary>
/// SIGTERM and SIGINT for all commands, from the first moment of the process on: one that comes before the command has begun is not lost,
/// and does not end the process as if it had failed. The command line's own handling, which knows only commands under way, is not used.
/// </summary>
internal sealed class EndSignals : IDisposable
{
    private readonly CancellationTokenSource _told = new();
    private readonly TaskCompletionSource<int> _came = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;

    /// <summary>From now on neither of them ends the process unasked.</summary>
    public EndSignals()
    {
        _terminate = On(PosixSignal.SIGTERM, 128 + 15);
        _interrupt = On(PosixSignal.SIGINT, 128 + 2);
    }

    /// <summary>Cancelled by the first of them.</summary>
    public CancellationToken Told => _told.Token;

    /// <summary>
    /// How long a command may take to end once it is told. The proxy ends by itself: the longest <c>Proxy:DrainTimeout</c> is 10 minutes.
    /// All other commands end at once, unless what they wait for hears nothing; what they leave then is as a kill would leave it, which
    /// every store survives.
    /// </summary>
    public static TimeSpan PatienceWith(Command command) =>
        ServeCommand.IsMeant(command) ? TimeSpan.FromMinutes(11) : TimeSpan.FromSeconds(10);

    /// <summary>
    /// The exit code of a command; that of the signal when the command has not ended so long after it: one that waits for a disk, a pipe or
    /// a terminal that hears nothing is left behind.
    /// </summary>
    /// <param name="command">The command under way.</param>
    /// <param name="patience">Longest that it may take to end.</param>
    /// <param name="time">Measures it.</param>
    public async Task<int> ExitCodeAsync(Task<int> command, TimeSpan patience, TimeProvider time)
    {
        if (await Task.WhenAny(command, _came.Task) == command)
        {
            return await command;
        }

        try
        {
            return await command.WaitAsync(patience, time);
        }
        catch (TimeoutException) when (!command.IsCompleted)
        {
            await Console.Error.WriteLineAsync($"Told to end, and still waiting after {patience.TotalSeconds:0} s: ended as it is.");
            return await _came.Task;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
        _told.Dispose();
    }

    /// <summary>One of them came; the first counts.</summary>
    internal void Tell(int exitCode)
    {
        if (_came.TrySetResult(exitCode))
        {
            _told.Cancel();
        }
    }

    private PosixSignalRegistration On(PosixSignal signal, int exitCode) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Tell(exitCode);
    });
}
