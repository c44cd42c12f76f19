using Breakwater.Proxy.Upstreams;
using Breakwater.Repositories;
using Microsoft.AspNetCore.Http.Features;

namespace Breakwater.Proxy.Cluster;

/// <summary>Answers the questions of other nodes.</summary>
internal sealed class NodeEndpoint(NodeSelf self, NodeRounds rounds, NodeState state, NodeRefusals refusals, NodeCounters counters,
    NodeContent content, NodeLearning learning, NodeAdmin admin)
{
    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="peer">The names that the other side's certificate has.</param>
    public async Task HandleAsync(HttpContext context, IReadOnlyList<string> peer)
    {
        context.Response.Headers[NodeAnnouncement.Field] = (self.Announcement with { State = state.Hash }).ToString();
        if (ProblemOf(context, peer) is { } problem)
        {
            refusals.Note("node", context.Connection.RemoteIpAddress?.ToString() ?? "?", problem);
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        string target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (target.StartsWith(NodeAdmin.Prefix, StringComparison.Ordinal) && context.Request.Headers.ContainsKey(NodeAnnouncement.Field))
        {
            await admin.HandleAsync(context, target[NodeAdmin.Prefix.Length..]);
            return;
        }

        if (context.Request.Method != "GET")
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        switch (target)
        {
            case "/node/live":
                context.Response.StatusCode =
                    self.IsMember ? StatusCodes.Status204NoContent : StatusCodes.Status503ServiceUnavailable;
                rounds.Hear(context.Request.Headers[NodeGreeting.Field].ToString());
                return;
            case "/node/state":
                await WriteAsync(context, state.Json);
                return;
            case var boots when TryParse(boots, "/node/boots/", out Fqrn booted):
                await WriteAsync(context, learning.WriteBoots(booted));
                return;
            case var sets when TryParse(sets, "/node/working-sets/", out Fqrn learned):
                await WriteAsync(context, learning.WriteSets(learned));
                return;
            default:
                counters.Served(peer is [{ } name, ..] ? name : "?", await content.ServeAsync(context, target));
                return;
        }
    }

    private static bool TryParse(string target, string prefix, out Fqrn repository)
    {
        repository = default;
        return target.StartsWith(prefix, StringComparison.Ordinal) && Fqrn.TryParse(target[prefix.Length..], out repository);
    }

    private static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    /// <summary>Why whoever asks is no node of this site; null: it may be one.</summary>
    private string? ProblemOf(HttpContext context, IReadOnlyList<string> peer)
    {
        string said = context.Request.Headers[NodeAnnouncement.Field].ToString();
        if (said.Length == 0)
        {
            return null; // a probe, or a person with a node's certificate
        }

        string[] parts = said.Split(';');
        string? id = Array.Find(parts, p => p.StartsWith("id=", StringComparison.Ordinal))?[3..];
        string? site = Array.Find(parts, p => p.StartsWith("site=", StringComparison.Ordinal))?[5..];
        return site != self.Announcement.Site ? $"it is a node of site '{site}'"
            : id is null || !peer.Contains(id, StringComparer.OrdinalIgnoreCase)
                ? $"it calls itself '{id}', and its certificate is {string.Join(", ", peer)}'s"
            : id == self.Id ? $"it has this node's id '{id}'"
            : null;
    }
}
