using System.Text;
using Breakwater.Proxy.Upstreams;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Where an interim answer begins and ends, byte by byte, and how many of them there may be.</summary>
public sealed class InterimHeadTests
{
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    private const string Final = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";

    [Theory]
    [InlineData("", 0, true)]
    [InlineData("HTTP", 0, true)]
    [InlineData("HTTP/1.1 1", 0, true)]
    [InlineData("HTTP/1.1 10", 0, true)]
    [InlineData("HTTP/1.1 103", 0, true)]
    [InlineData("HTTP/1.1 103 ", 0, true)]
    [InlineData("HTTP/1.1 103 E\r\n", 0, true)]
    [InlineData("HTTP/1.1 103\r\n\r\n", 16, false)]
    [InlineData("HTTP/1.1 103 \r\n\r\n", 17, false)]
    [InlineData("HTTP/1.1 199 E\r\nA: b\r\n\r\nmore\n", 24, false)]
    [InlineData("HTTP/1.1 100 E\r\n\r\n", 18, false)]
    [InlineData("HTTP/1.1 101 E\r\n\r\n", 0, false)]
    [InlineData("HTTP/1.1 201 E\r\n\r\n", 0, false)]
    [InlineData("HTTP/1.1 1x3 E\r\n\r\n", 0, false)]
    [InlineData("HTTP/1.1 10x E\r\n\r\n", 0, false)]
    [InlineData("HTTP/1.1 1030 E\r\n\r\n", 0, false)]
    [InlineData("HTTP/1.0 103 E\r\n\r\n", 0, false)]
    [InlineData("HTTP/1.1 2", 0, false)]
    [InlineData("HTTP/1.1 20", 0, false)]
    [InlineData("SSH", 0, false)]
    [InlineData("HTTP/1.1 103 E\n", 0, false)]
    [InlineData("HTTP/1.1 103 E\nA: b\r\n\r\n", 0, false)]
    public void Find_BytesThatCame_AreOneOrMayBecomeOneOrAreNone(string bytes, int length, bool mayGrow) =>
        Assert.Equal((length, mayGrow), (InterimHead.Find(Encoding.Latin1.GetBytes(bytes), out bool grows), grows));

    [Fact]
    public void Relayed_FieldsOfTheConnection_AreTakenOut() =>
        Assert.Equal("HTTP/1.1 103 E\r\nA: b: c\r\nLink:\r\n\r\n", Encoding.Latin1.GetString(InterimHead.Relayed(
            Encoding.Latin1.GetBytes("HTTP/1.1 103 E\r\nA: b: c\r\nconnection: x\r\nContent-Length: 1\r\nKeep-Alive: 1\r\nTE: x\r\n"
            + "Link:\r\nProxy-Connection: x\r\nTrailer: x\r\nTransfer-Encoding: chunked\r\nUpgrade: x\r\n\r\n"))!));

    [Theory]
    [InlineData("HTTP/1.1 103 E\r\n: x\r\n\r\n")]
    [InlineData("HTTP/1.1 103 E\r\nA: \u0001\r\n\r\n")]
    public void Relayed_AFieldThatIsNone_TakesAllOfItOut(string head) => Assert.Null(InterimHead.Relayed(Encoding.Latin1.GetBytes(head)));

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(41)]
    [InlineData(4096)]
    public async Task Read_IntoSmallBuffers_LosesNothingOfWhatIsHeld(int buffer)
    {
        (string read, int interim) = await ReadAsync(Hints + Final + new string('x', 5000), buffer);

        Assert.Equal(Final + new string('x', 5000), read);
        Assert.Equal(1, interim);
    }

    [Theory]
    [InlineData(15, 15, 0)]
    [InlineData(16, 16, 0)]
    [InlineData(17, 16, 1)]
    [InlineData(20, 16, 4)]
    public async Task Read_ManyOfThem_AreTakenOutUpToABound(int sent, int interim, int left)
    {
        (string read, int taken) = await ReadAsync(string.Concat(Enumerable.Repeat(Hints, sent)) + Final, 4096);

        Assert.Equal(string.Concat(Enumerable.Repeat(Hints, left)) + Final, read);
        Assert.Equal(interim, taken);
    }

    [Theory]
    [InlineData(16_000, 1)]
    [InlineData(40_000, 0)]
    public async Task Read_AHeadWithoutEnd_IsLeftToTheClient(int length, int interim)
    {
        string head = "HTTP/1.1 103 E\r\nA: " + new string('a', length) + "\r\n\r\n";

        (string read, int taken) = await ReadAsync(head + Final, 4096);

        Assert.Equal(interim == 1 ? Final : head + Final, read);
        Assert.Equal(interim, taken);
    }

    [Fact]
    public async Task Write_OfANewQuestion_SaysWhetherTheConnectionWasUsed()
    {
        await using InterimStream stream = new(new Connection("x"));
        InterimQuestion first = new(null), second = new(null);
        InterimQuestion.Current = first;
        await stream.WriteAsync("a"u8.ToArray());
        await stream.WriteAsync("b"u8.ToArray());
        Assert.False(first.IsOnUsedConnection);
        InterimQuestion.Current = second;
        await stream.WriteAsync("c"u8.ToArray());

        Assert.Equal((false, true), (first.IsOnUsedConnection, second.IsOnUsedConnection));
    }

    [Fact]
    public async Task Read_WhatEndsAtOnce_IsTheEnd()
    {
        await using InterimStream stream = new(new Connection(""));
        InterimQuestion.Current = new InterimQuestion(null);
        await stream.WriteAsync("a"u8.ToArray());

        Assert.Equal(0, await stream.ReadAsync(new byte[10]).InTimeAsync());
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty).InTimeAsync());
    }

    private static async Task<(string Read, int Interim)> ReadAsync(string sent, int buffer)
    {
        int interim = 0;
        InterimReceiver receiver = new(_ =>
        {
            interim++;
            return ValueTask.CompletedTask;
        });
        await using InterimStream stream = new(new Connection(sent));
        InterimQuestion.Current = new InterimQuestion(receiver);
        await stream.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        using MemoryStream read = new();
        await stream.CopyToAsync(read, buffer);
        return (Encoding.Latin1.GetString(read.ToArray()), interim);
    }

    private sealed class Connection(string sent) : MemoryStream(Encoding.Latin1.GetBytes(sent))
    {
        public override bool CanWrite => true;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.CompletedTask;
    }
}
