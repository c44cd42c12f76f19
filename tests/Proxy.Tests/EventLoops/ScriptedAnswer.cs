using System.Text;
using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>An answer under way that goes on as it is told.</summary>
/// <param name="goOn">What it does with its client's socket.</param>
/// <param name="change">What it waits for when it is starved.</param>
/// <param name="hasBegun">Must it come to its end on the loop?</param>
internal sealed class ScriptedAnswer(Func<int, AnswerProgress> goOn, Task? change = null, bool hasBegun = true) : LoopAnswer
{
    /// <summary>How it ended.</summary>
    public TaskCompletionSource<AnswerEnd> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What Kestrel gets with the request.</summary>
    public BegunRequest Begun { get; init; }

    public override bool HasBegun => hasBegun;

    public override bool TakesTurns => false;

    /// <summary>Sends all of a short text.</summary>
    public static AnswerProgress Send(int socket, string text)
    {
        Assert.Equal(text.Length, SocketSender.Send(socket, Encoding.ASCII.GetBytes(text), hasMore: false));
        return AnswerProgress.Done;
    }

    public override AnswerProgress GoOn(int socket) => goOn(socket);

    public override Task Change() => change ?? Task.CompletedTask;

    public override BegunRequest HandOver() => Begun;

    public override void End(AnswerEnd end) => Ended.SetResult(end);
}
