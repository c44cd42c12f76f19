using System.Text;
using Breakwater.Proxy.Cluster;

namespace Breakwater.Proxy.Tests.Cluster;

/// <summary>An answer of ordinary HTTP in the body of an answer to another node.</summary>
public sealed class NodeAnswerTests
{
    private readonly CountedFlushes _body = new();
    private readonly NodeAnswer _answer;
    private int _heads;

    public NodeAnswerTests() => _answer = new NodeAnswer(_body, () => Encoding.ASCII.GetBytes($"head{++_heads} "));

    [Fact]
    public async Task Write_PieceByPiece_HasTheHeadBeforeTheFirst()
    {
        await _answer.WriteAsync("a"u8.ToArray());
        await _answer.WriteAsync("bc"u8.ToArray());
        Assert.Equal(0, _body.Flushes);
        await _answer.FlushAsync();
        await _answer.EndAsync(CancellationToken.None);

        Assert.Equal(("head1 abc", 3L, 1), (_body.Text, _answer.BodyBytes, _body.Flushes));
    }

    /// <summary>A head may go out long before the first byte of its body.</summary>
    [Fact]
    public async Task Flush_BeforeAnythingIsWritten_SendsTheHead()
    {
        await _answer.FlushAsync();

        Assert.Equal(("head1 ", 0L, 1), (_body.Text, _answer.BodyBytes, _body.Flushes));
    }

    [Fact]
    public async Task End_OfAnAnswerWithoutABody_IsItsHead()
    {
        await _answer.EndAsync(CancellationToken.None);

        Assert.Equal(("head1 ", 0L), (_body.Text, _answer.BodyBytes));
    }

    private sealed class CountedFlushes : MemoryStream
    {
        public int Flushes { get; private set; }

        public string Text => Encoding.ASCII.GetString(ToArray());

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            Flushes++;
            return Task.CompletedTask;
        }
    }
}
