using System.Text;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Upstreams;

namespace Breakwater.Proxy.Hits;

/// <summary>Sends documents that are fresh. Thread-safe.</summary>
internal sealed unsafe class DocumentHits(DocumentCache documents, HeadEncoder heads)
{
    /// <summary>Documents beyond this go the ordinary way.</summary>
    private const int MaxDocumentBytes = 64 << 10;

    /// <summary>Answers a GET or HEAD of a document, if it is fresh.</summary>
    /// <param name="repository">Its repository.</param>
    /// <param name="path">Its path below the repository.</param>
    /// <param name="isHead">Is it a HEAD?</param>
    /// <param name="socket">The client's.</param>
    /// <param name="answer">Takes what the socket does not take at once.</param>
    /// <param name="bodyBytes">The length of the answer's body.</param>
    public FirstAnswer TrySend(RepositoryRoute repository,
        ReadOnlySpan<byte> path, bool isHead, int socket, StoredAnswer answer, out long bodyBytes)
    {
        bodyBytes = 0;
        var request = new DocumentRequest(DocumentKind.File, repository, Encoding.ASCII.GetString(path), null);
        if (documents.FindFresh(request) is not { } document || document.Body.Length > MaxDocumentBytes)
        {
            return FirstAnswer.ForKestrel;
        }

        byte* start = stackalloc byte[HeadEncoder.MaxBytes];
        int headBytes = heads.WriteDocument(new Span<byte>(start, HeadEncoder.MaxBytes), document);
        ReadOnlySpan<byte> body = isHead ? default : document.Body.Span;
        fixed (byte* bodyStart = body)
        {
            IoVector* pieces = stackalloc IoVector[2];
            pieces[0] = new IoVector { Base = start, Length = (nuint)headBytes };
            pieces[1] = new IoVector { Base = bodyStart, Length = (nuint)body.Length };
            if (!GatheredSend.TrySend(socket, pieces, 2, hasMore: false, out long sent))
            {
                return FirstAnswer.ForKestrel;
            }

            bodyBytes = body.Length;
            if (sent == headBytes + body.Length)
            {
                return FirstAnswer.Sent;
            }

            byte[] rest = new byte[headBytes + body.Length - sent];
            ReadOnlySpan<byte> headRest = new ReadOnlySpan<byte>(start, headBytes)[(int)Math.Min(sent, headBytes)..];
            headRest.CopyTo(rest);
            body[(int)Math.Max(0, sent - headBytes)..].CopyTo(rest.AsSpan(headRest.Length));
            answer.Keep(rest, 0, 0);
            return FirstAnswer.Answering;
        }
    }
}
