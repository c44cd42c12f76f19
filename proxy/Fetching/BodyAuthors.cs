using Breakwater.CacheStore;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// Who has sent what of a fetch's bodies, and who is to blame or to thank for it: that is known only when a digest has judged. The fetch's
/// own flow only.
/// </summary>
/// <param name="key">The object.</param>
/// <param name="services">What every fetch works with.</param>
/// <param name="log">Is told of wrong bytes.</param>
internal sealed partial class BodyAuthors(ObjectKey key, FetchServices services, ILogger log)
{
    /// <summary>Who was left for being slow is to blame when the next one is so many times as quick: else it is the line.</summary>
    private const double MuchQuicker = 4;

    private readonly HashSet<Author> _authors = [];     // of the body under way
    private readonly HashSet<Author> _doubted = [];     // another says another length: who is wrong is known when a body is right
    private (Author Author, double BytesPerSecond)? _tardy;
    private (Stratum1 Stratum1, double BytesPerSecond) _ended;

    /// <summary>Have several sent parts of the body under way?</summary>
    public bool AreSeveral => _authors.Count > 1;

    /// <summary>A new body begins.</summary>
    public void Clear() => _authors.Clear();

    /// <summary>One more sends.</summary>
    public void Add(FetchWay way, Stratum1 stratum1) => _authors.Add(new Author(way, stratum1));

    /// <summary>This one contradicts the others about the length.</summary>
    public void Contradicts(Stratum1 stratum1) => _doubted.UnionWith(_authors.Where(a => a.Stratum1 != stratum1));

    /// <summary>This one was left for being slow.</summary>
    public void NoteTardy(FetchWay way, Stratum1 stratum1, double bytesPerSecond) => _tardy = (new Author(way, stratum1), bytesPerSecond);

    /// <summary>This one's answer came to its end, at this pace.</summary>
    public void NoteEnd(Stratum1 stratum1, double bytesPerSecond) => _ended = (stratum1, bytesPerSecond);

    /// <summary>The body is right, though this one's answer did not come to its end: that is no success of its own.</summary>
    public void NoteRightWithoutEnd(FetchWay way, Stratum1 stratum1)
    {
        _authors.Remove(new Author(way, stratum1));
        NoteRight();
    }

    /// <summary>The body is right: whose success is it, and who was wrong about its length?</summary>
    public void NoteRight()
    {
        if (_tardy is { } slow && slow.Author.Stratum1 != _ended.Stratum1 && _ended.BytesPerSecond > MuchQuicker * slow.BytesPerSecond)
        {
            Note(slow.Author, FailureKind.Timeout, "was too slow");
            _authors.Remove(slow.Author);
        }

        foreach (Author author in _authors)
        {
            services.Client.NoteSuccess(author.Stratum1);
        }

        foreach (Author doubted in _doubted.Where(d => !_authors.Any(a => a.Stratum1 == d.Stratum1)))
        {
            Note(doubted, FailureKind.BadHead, "sent or promised another length than the object has");
        }
    }

    /// <summary>The body is wrong: who may still be asked?</summary>
    /// <param name="isWhole">It came whole, so its bytes are wrong; else two say different lengths.</param>
    public void NoteWrong(bool isWhole)
    {
        foreach (Author author in _authors)
        {
            if (isWhole)
            {
                Note(author, FailureKind.WrongBytes, $"sent bytes that are not {key}");
                services.Counters.WrongBodies.Add(1);
                LogWrongBytes(log, key, author.Stratum1.Authority, author.Way.Order.UrlPath);
            }

            if (_authors.Count > 1)
            {
                author.Way.Cursor!.Requeue(author.Stratum1);
            }
        }
    }

    private void Note(Author author, FailureKind kind, string what) =>
        services.Client.Note(author.Way.Cursor!, author.Stratum1, kind, what);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "Wrong bytes for {Key} from {Upstream}{Path}: not delivered, asking another Stratum 1")]
    private static partial void LogWrongBytes(ILogger log, ObjectKey key, string upstream, string path);

    private readonly record struct Author(FetchWay Way, Stratum1 Stratum1);
}
