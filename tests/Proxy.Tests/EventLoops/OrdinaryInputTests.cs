using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Breakwater.Proxy.EventLoops.KestrelSide;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.EventLoops;

/// <summary>What Kestrel reads of a connection that a loop lends it: what it is given, and when it waits.</summary>
public sealed class OrdinaryInputTests
{
    private readonly OrdinaryInput _input;
    private int _waits;

    public OrdinaryInputTests() => _input = new OrdinaryInput(() => _waits++);

    [Fact]
    public async Task Read_BeforeAnythingIsGiven_WaitsForIt()
    {
        Task<ReadResult> read = _input.ReadAsync().AsTask();
        Assert.Equal((1, true, false), (_waits, _input.IsWaiting, read.IsCompleted));

        _input.Give("GET"u8);
        Assert.False(_input.IsWaiting);
        Assert.Equal(("GET", false, false), Text(await read.InTimeAsync()));
        Assert.Equal(1, _waits);
    }

    [Fact]
    public async Task Read_WhatWasGivenBefore_IsThereAtOnce()
    {
        _input.Give("GET"u8);
        _input.Give(" /x"u8);

        Assert.Equal(("GET /x", false, false), Text(await _input.ReadAsync().InTimeAsync()));
        Assert.Equal(("GET /x", false, false), Text(await _input.ReadAsync().InTimeAsync())); // nothing was examined
        Assert.Equal((0, false), (_waits, _input.IsWaiting));
    }

    /// <summary>What was looked at and left stands before what comes.</summary>
    [Theory]
    [InlineData(0, 3, "GET /")]
    [InlineData(2, 3, "T /")]
    [InlineData(3, 3, " /")]
    public async Task Advance_ThatExaminedAll_WaitsForMore(int consumed, int examined, string next)
    {
        _input.Give("GET"u8);
        ReadOnlySequence<byte> buffer = (await _input.ReadAsync().InTimeAsync()).Buffer;
        _input.AdvanceTo(buffer.GetPosition(consumed), buffer.GetPosition(examined));
        Assert.False(_input.TryRead(out _));

        Task<ReadResult> read = _input.ReadAsync().AsTask();
        Assert.Equal((1, false), (_waits, read.IsCompleted));
        _input.Give(" /"u8);
        Assert.Equal(next, Text(await read.InTimeAsync()).Text);
    }

    [Fact]
    public async Task Advance_ThatLeftSomethingUnseen_DoesNotWait()
    {
        _input.Give("GET /"u8);
        ReadOnlySequence<byte> buffer = (await _input.ReadAsync().InTimeAsync()).Buffer;
        _input.AdvanceTo(buffer.GetPosition(3));

        Assert.True(_input.TryRead(out ReadResult rest));
        Assert.Equal(" /", Text(rest).Text);
        Assert.Equal(0, _waits);
    }

    [Fact]
    public async Task End_WhileItWaits_EndsTheReadAndAllThatFollow()
    {
        Task<ReadResult> read = _input.ReadAsync().AsTask();
        _input.End();
        Assert.Equal(("", true, false), Text(await read.InTimeAsync()));
        Assert.True((await _input.ReadAsync().InTimeAsync()).IsCompleted);
        Assert.Equal(1, _waits);

        var other = new OrdinaryInput(() => _waits++);
        other.Give("x"u8);
        other.Complete();
        Assert.Equal(("x", true, false), Text(await other.ReadAsync().InTimeAsync()));
    }

    [Fact]
    public async Task CancelPendingRead_WakesOneRead()
    {
        Task<ReadResult> read = _input.ReadAsync().AsTask();
        _input.CancelPendingRead();
        Assert.Equal(("", false, true), Text(await read.InTimeAsync()));
        _input.CancelPendingRead();
        Assert.Equal(("", false, true), Text(await _input.ReadAsync().InTimeAsync()));

        Assert.False(_input.ReadAsync().AsTask().IsCompleted);
        Assert.True(_input.IsWaiting);
    }

    [Fact]
    public async Task Read_ThatIsGivenUp_LeavesWhatComesToTheNext()
    {
        using var patience = new CancellationTokenSource();
        Task<ReadResult> read = _input.ReadAsync(patience.Token).AsTask();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.InTimeAsync());
        Assert.False(_input.IsWaiting);

        _input.Give("x"u8);
        Assert.Equal("x", Text(await _input.ReadAsync().InTimeAsync()).Text);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _input.ReadAsync(patience.Token).AsTask());
        Assert.Equal(1, _waits);
    }

    /// <summary>The patience of a read that ended says nothing to the next.</summary>
    [Fact]
    public async Task Read_AfterOneWithPatience_WaitsForItself()
    {
        using var patience = new CancellationTokenSource();
        Task<ReadResult> first = _input.ReadAsync(patience.Token).AsTask();
        _input.Give("x"u8);
        ReadOnlySequence<byte> buffer = (await first.InTimeAsync()).Buffer;
        _input.AdvanceTo(buffer.End);
        Task<ReadResult> second = _input.ReadAsync().AsTask();
        await patience.CancelAsync();

        Assert.False(second.IsCompleted);
        _input.Give("y"u8);
        Assert.Equal("y", Text(await second.InTimeAsync()).Text);
    }

    private static (string Text, bool IsCompleted, bool IsCanceled) Text(ReadResult result) =>
        (Encoding.ASCII.GetString(result.Buffer), result.IsCompleted, result.IsCanceled);
}
