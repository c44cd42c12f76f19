using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Breakwater.Mutation;

/// <summary>
/// A copy of the source tree in a temporary directory, with all drawn mutants compiled in behind their switches. Removed on dispose.
/// </summary>
internal sealed partial class Workspace : IDisposable
{
    private const string Switch = "global::Breakwater.CacheStore.Mutant.Is(";
    private const int MostBuilds = 12;

    private readonly string _root;
    private readonly string _copy = Directory.CreateTempSubdirectory("breakwater-mutants-").FullName;

    private Workspace(string root) => _root = root;

    /// <summary>The test projects, the quickest first.</summary>
    public static IReadOnlyList<string> Projects { get; } = ["Proxy.Tests", "CacheStore.Tests", "Mount.Tests", LongProject];

    private const string LongProject = "Proxy.FunctionalTests";

    /// <summary>All tests, in parts that may run beside each other: a long project's folders by themselves.</summary>
    public IEnumerable<TestPart> Parts()
    {
        foreach (string project in Projects.Reverse())
        {
            if (project != LongProject)
            {
                yield return new TestPart(project, project, null);
                continue;
            }

            string[] folders = [.. Directory.EnumerateDirectories(Path.Combine(_copy, "tests", project)).Select(d => Path.GetFileName(d))
                .Where(name => name is not ("bin" or "obj")).Order(StringComparer.Ordinal)];
            string Within(string folder) => $"Breakwater.{project}.{folder}.";
            foreach (string folder in folders)
            {
                yield return new TestPart(project, $"{project}/{folder}", $"FullyQualifiedName~{Within(folder)}");
            }

            yield return new TestPart(project, $"{project}, the rest",
                string.Join('&', folders.Select(folder => $"FullyQualifiedName!~{Within(folder)}")));
        }
    }

    /// <summary>The assembly of a test project.</summary>
    public string AssemblyOf(string project) =>
        Path.Combine(_copy, "tests", project, "bin", "Release", "net10.0", $"Breakwater.{project}.dll");

    /// <summary>
    /// Copies the tree, compiles the candidates in, and drops those that do not compile. The first of each room are kept, as many as it
    /// wants.
    /// </summary>
    public static (Workspace Workspace, IReadOnlyList<CompiledMutant> Mutants) Build(
        string root, IReadOnlyDictionary<string, List<Candidate>> ordered, IReadOnlyDictionary<string, int> wanted)
    {
        Workspace workspace = new(root);
        try
        {
            return (workspace, workspace.Build(ordered, wanted));
        }
        catch
        {
            workspace.Dispose();
            throw;
        }
    }

    private List<CompiledMutant> Build(IReadOnlyDictionary<string, List<Candidate>> ordered, IReadOnlyDictionary<string, int> wanted)
    {
        CopyTree();
        HashSet<Candidate> refused = [];
        for (int build = 1; build <= MostBuilds; build++)
        {
            IEnumerable<Candidate> chosen = wanted.SelectMany(w => ordered[w.Key].Where(c => !refused.Contains(c)).Take(w.Value));
            List<CompiledMutant> mutants = [.. chosen.Select((change, id) => new CompiledMutant(id, change))];
            WriteMutated(mutants);
            Console.WriteLine($"build {build}: {mutants.Count} mutants");
            (int exitCode, string output) =
                Run("dotnet",
                ["build", "Mutants.slnx", "-c", "Release", "-v", "q", "-nodeReuse:false", "-p:TreatWarningsAsErrors=false",
                "-p:RunAnalyzers=false", "-p:NuGetAudit=false"]);
            if (exitCode == 0)
            {
                return mutants;
            }

            int before = refused.Count;
            foreach (Match error in CompilerError().Matches(output))
            {
                string file = Path.GetRelativePath(_copy, error.Groups["file"].Value).Replace('\\', '/');
                refused.UnionWith(Guilty(file, int.Parse(error.Groups["line"].Value, CultureInfo.InvariantCulture), mutants));
            }

            if (refused.Count == before)
            {
                throw new InvalidOperationException("The mutated tree does not build:\n" + output);
            }
        }

        throw new InvalidOperationException("Too many builds: the mutated tree does not compile.");
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_copy, recursive: true);

    [GeneratedRegex(@"^\s*(?<file>/[^(\n]+\.cs)\((?<line>\d+),\d+\): error ", RegexOptions.Multiline)]
    private static partial Regex CompilerError();

    /// <summary>
    /// The mutants on the line of an error; if there are none, those of the member that it is in (a variable is missing where it is used).
    /// </summary>
    private IEnumerable<Candidate> Guilty(string file, int line, List<CompiledMutant> mutants)
    {
        List<Candidate> here = [.. mutants.Select(m => m.Change).Where(c => c.File == file)];
        List<Candidate> onLine = here.FindAll(c => c.Line == line);
        if (onLine.Count > 0)
        {
            return onLine;
        }

        var root = CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(_root, file)), new CSharpParseOptions(LanguageVersion.Preview))
            .GetRoot();
        var member = root.DescendantNodes().OfType<MemberDeclarationSyntax>()
            .Where(m => m is not BaseTypeDeclarationSyntax and not BaseNamespaceDeclarationSyntax)
            .Select(m => m.GetLocation().GetLineSpan())
            .LastOrDefault(s => s.StartLinePosition.Line + 1 <= line && line <= s.EndLinePosition.Line + 1);
        return member.IsValid
            ? here.Where(c => c.Line - 1 >= member.StartLinePosition.Line && c.Line - 1 <= member.EndLinePosition.Line)
            : here;
    }

    private void CopyTree()
    {
        (_, string files) = Run("git", ["-C", _root, "ls-files", "-co", "--exclude-standard"]);
        foreach (string file
            in files.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(f => !f.StartsWith("perf/results/", StringComparison.Ordinal)))
        {
            string from = Path.Combine(_root, file);
            if (File.Exists(from))
            {
                string to = Path.Combine(_copy, file);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(from, to);
            }
        }

        File.WriteAllText(Path.Combine(_copy, "cachestore", "Mutant.cs"), Injected("Mutant.cs"));
        foreach (string project in Projects)
        {
            string directory = Path.Combine(_copy, "tests", project);
            foreach (string test in Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories))
            {
                File.WriteAllText(test, WithCoverage(File.ReadAllText(test)));
            }

            File.WriteAllText(Path.Combine(directory, "MutantCoverageAttribute.cs"), Injected("MutantCoverageAttribute.cs"));
        }

        File.WriteAllText(
            Path.Combine(_copy, "Mutants.slnx"),
            "<Solution>" + string.Concat(Projects.Select(p => $"<Project Path=\"tests/{p}/Breakwater.{p}.csproj\" />")) + "</Solution>");
    }

    /// <summary>Every class with tests tells which of them runs.</summary>
    private static string WithCoverage(string source)
    {
        var root = CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot();
        IEnumerable<ClassDeclarationSyntax> classes = root.DescendantNodes().OfType<ClassDeclarationSyntax>()
            .Where(c => c.Members.OfType<MethodDeclarationSyntax>()
            .Any(m => m.AttributeLists.SelectMany(l => l.Attributes).Any(a => a.Name.ToString() is "Fact" or "Theory")));
        foreach (ClassDeclarationSyntax tests in classes.OrderByDescending(c => c.SpanStart))
        {
            int at = tests.Modifiers.Count > 0 ? tests.Modifiers[0].SpanStart : tests.Keyword.SpanStart;
            source = source.Insert(at, "[global::Breakwater.Mutants.MutantCoverage] ");
        }

        return source;
    }

    private void WriteMutated(IReadOnlyList<CompiledMutant> mutants)
    {
        foreach (string file in Directory.EnumerateFiles(_copy, "*.cs.mutated", SearchOption.AllDirectories))
        {
            string path = file[..^".mutated".Length];
            File.Copy(Path.Combine(_root, Path.GetRelativePath(_copy, path)), path, overwrite: true);
            File.Delete(file);
        }

        foreach (IGrouping<string, CompiledMutant> file in mutants.GroupBy(m => m.Change.File))
        {
            string source = File.ReadAllText(Path.Combine(_root, file.Key));
            foreach (CompiledMutant mutant in file.OrderByDescending(m => m.Change.Start))
            {
                string text =
                    string.Format(CultureInfo.InvariantCulture, mutant.Change.Rewritten,
                    Switch + mutant.Id.ToString(CultureInfo.InvariantCulture) + ")");
                source = source[..mutant.Change.Start] + text + source[(mutant.Change.Start + mutant.Change.Length)..];
            }

            string path = Path.Combine(_copy, file.Key);
            File.WriteAllText(path, source);
            File.WriteAllText(path + ".mutated", "");
        }
    }

    private static string Injected(string name)
    {
        using StreamReader reader = new(typeof(Workspace).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    private (int ExitCode, string Output) Run(string command, IEnumerable<string> arguments)
    {
        using Process process =
            Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, WorkingDirectory = _copy })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
