using System.Text;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>Interim answers are taken out where an answer begins, however it is cut into pieces, and nothing else is touched.</summary>
public sealed class InterimStreamTests
{
    private const string Hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n";
    private const string Final =
        "HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nthe body of the answer, it is.";

    [Theory]
    [InlineData(Hints + Final, Final, 1)]
    [InlineData(Hints + "HTTP/1.1 100 Continue\r\n\r\n" + Hints + Final, Final, 2)]
    [InlineData(Final, Final, 0)]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n" + Hints, "HTTP/1.1 101 Switching Protocols\r\n\r\n" + Hints, 0)]
    [InlineData("HTTP/1.1 103 Early", "HTTP/1.1 103 Early", 0)]
    [InlineData("HTT", "HTT", 0)]
    [InlineData("nonsense", "nonsense", 0)]
    [InlineData("HTTP/1.1 103 Early Hints\nLink: </a>\n\n" + Final, "HTTP/1.1 103 Early Hints\nLink: </a>\n\n" + Final, 0)]
    [InlineData("HTTP/1.1 103 E\r\nLink: </a>\n\n" + Final, "HTTP/1.1 103 E\r\nLink: </a>\n\n" + Final, 0)]
    public async Task Read_OfAnAnswerInPieces_GivesTheRealOneAndHandsOverTheOthers(string sent, string expected, int interim)
    {
        for (int piece = 1; piece <= sent.Length; piece += 1 + (piece / 4))
        {
            List<string> seen = [];
            InterimReceiver receiver = new(head =>
            {
                seen.Add(Encoding.Latin1.GetString(head.Span));
                return ValueTask.CompletedTask;
            });
            await using InterimStream stream = new(new PieceStream(Encoding.Latin1.GetBytes(sent), piece));
            InterimQuestion.Current = new InterimQuestion(receiver);
            await stream.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());

            using MemoryStream read = new();
            await stream.CopyToAsync(read);

            Assert.Equal(expected, Encoding.Latin1.GetString(read.ToArray()));
            Assert.Equal(Enumerable.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", interim), seen);
        }
    }

    [Fact]
    public void Write_OfBytes_GoesThroughAndBeginsAQuestion()
    {
        using var connection = new MemoryStream();
        using InterimStream stream = new(connection);
        InterimQuestion.Current = new InterimQuestion(null);
        stream.Write([1, 2, 3, 4], 1, 2);
        var next = new InterimQuestion(null);
        InterimQuestion.Current = next;
        stream.Write([5], 0, 1);
        stream.Flush();

        Assert.Equal([2, 3, 5], connection.ToArray());
        Assert.True(next.IsOnUsedConnection);
    }

    [Fact]
    public async Task Read_WithoutANewQuestion_TouchesNothing()
    {
        await using InterimStream stream = new(new PieceStream(Encoding.Latin1.GetBytes(Hints + Final), 7));

        using MemoryStream read = new();
        await stream.CopyToAsync(read);

        Assert.Equal(Hints + Final, Encoding.Latin1.GetString(read.ToArray()));
    }

    [Fact]
    public async Task Receiver_WhenTheAnswerBegins_SendsNoMore()
    {
        int sent = 0;
        InterimReceiver receiver = new(_ =>
        {
            sent++;
            return ValueTask.CompletedTask;
        });

        await receiver.SendAsync(default);
        await receiver.CloseAsync();
        await receiver.SendAsync(default);

        Assert.Equal(1, sent);
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 103 \u0001\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nno field\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nbad name: x\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\na: x\ry\r\n\r\n")]
    public void Relayed_HeadThatIsNotForTheClient_IsNone(string head) => Assert.Null(InterimHead.Relayed(Encoding.Latin1.GetBytes(head)));

    private sealed class PieceStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override bool CanWrite => true;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.CompletedTask;
    }
}
