using System.Security.Cryptography;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

/// <summary>Ten thousand operations against a model, while servers fail and come back.</summary>
public sealed class RandomOperationsTests
{
    private static readonly UpstreamBehaviour[] s_faults =
    [
        UpstreamBehaviour.ResetWithoutAnswer,
        UpstreamBehaviour.CloseWithoutAnswer,
        UpstreamBehaviour.NotFound,
        UpstreamBehaviour.NotHttp,
        UpstreamBehaviour.HtmlPage,
        UpstreamBehaviour.Doubled,
        UpstreamBehaviour.FlipsBitAt(3),
        UpstreamBehaviour.Default with { Status = 503 },
        UpstreamBehaviour.Default with { TruncateAt = 10 },
        UpstreamBehaviour.Default with { ResetAt = 10 },
    ];

    [Fact]
    public async Task Operations_WhileOneOfTwoServersFails_AreThoseOfTheModel()
    {
        FixtureRepository repository = FixtureRepository.Tiny;
        Dictionary<string, byte[]> model = await ModelAsync(repository);
        await using ScriptedUpstream first = ScriptedUpstream.Serving(repository);
        await using ScriptedUpstream second = ScriptedUpstream.Serving(repository);
        using var mounted = new MountedTree(repository, $"{first.Address};{second.Address}");
        var random = new Random(20261128);
        string[] paths = [.. model.Keys];
        for (int i = 0; i < 10_000; i++)
        {
            if (i % 50 == 0)
            {
                first.Heal();
                second.Heal();
                (random.Next(2) == 0 ? first : second).Everything = s_faults[random.Next(s_faults.Length)];
            }

            // Mostly some files that wander through all, as readers do: else every operation would be a fetch.
            string path = paths[(random.Next(20) == 0 ? random.Next(paths.Length) : (i / 100) + random.Next(10)) % paths.Length];
            Node node = mounted.Walk(path);
            byte[] right = model[path];
            Assert.Equal(right.Length, node.Entry.SizeBytes);
            if (right.Length > 0)
            {
                int at = random.Next(right.Length);
                byte[] piece = new byte[random.Next(1, Math.Min(right.Length - at, 200_000) + 1)];
                Assert.Equal(0, mounted.Tree.Read(node, at, piece, CancellationToken.None));
                Assert.True(piece.AsSpan().SequenceEqual(right.AsSpan(at, piece.Length)), $"operation {i}: {path} at {at}");
            }

            if (i % 10 == 0)
            {
                Look(mounted, path, paths);
            }

            mounted.Tree.Nodes.Forget(node.Id, 1);
        }
    }

    [Fact]
    public async Task Reads_WhileEveryServerFails_HaveRightBytesOrNone()
    {
        FixtureRepository repository = FixtureRepository.Tiny;
        Dictionary<string, byte[]> model = await ModelAsync(repository);
        await using ScriptedUpstream server = ScriptedUpstream.Serving(repository);
        using var mounted = new MountedTree(repository, server.Address);
        var random = new Random(3);
        string[] paths = [.. model.Keys.Where(path => model[path].Length > 0)];
        Node[] nodes = [.. paths.Select(mounted.Walk)];
        server.Choose = _ => random.Next(3) > 0 ? s_faults[random.Next(s_faults.Length)] : UpstreamBehaviour.Default;
        for (int i = 0; i < 600; i++)
        {
            int which = random.Next(paths.Length);
            byte[] right = model[paths[which]];
            int at = random.Next(right.Length);
            byte[] piece = new byte[Math.Min(right.Length - at, 4096)];
            int error = mounted.Tree.Read(nodes[which], at, piece, CancellationToken.None);
            Assert.True(error is Errno.InputOutput || (error == 0 && piece.AsSpan().SequenceEqual(right.AsSpan(at, piece.Length))));
        }
    }

    /// <summary>A name beside the file's is there or not as the model has it, and so is the listing of its directory.</summary>
    private static void Look(MountedTree mounted, string path, string[] paths)
    {
        int slash = path.LastIndexOf('/');
        string directory = slash < 0 ? "" : path[..slash];
        Node parent = slash < 0 ? mounted.Tree.Nodes.Find(1)! : mounted.Walk(directory);
        Assert.Equal((Errno.NoEntry, null), mounted.Tree.Lookup(parent, "no such name"u8));
        HashSet<string> listed = [.. mounted.Tree.List(parent)!.Select(line => Encoding.UTF8.GetString(line.Name))];
        foreach (string other in paths.Where(p => (p.LastIndexOf('/') < 0 ? "" : p[..p.LastIndexOf('/')]) == directory))
        {
            Assert.Contains(other[(other.LastIndexOf('/') + 1)..], listed);
        }
    }

    private static async Task<Dictionary<string, byte[]>> ModelAsync(FixtureRepository repository)
    {
        await using ScriptedUpstream server = ScriptedUpstream.Serving(repository);
        using var mounted = new MountedTree(repository, server.Address);
        Dictionary<string, byte[]> model = [];
        string list = Encoding.UTF8.GetString(FixtureRepository.ReadFixtureFile("tiny.example.org.files.sha256"));
        foreach (string line in list.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            byte[] bytes = mounted.ReadFile(line[66..]);
            Assert.Equal(line[..64], Convert.ToHexStringLower(SHA256.HashData(bytes)));
            model[line[66..]] = bytes;
        }

        return model;
    }
}
